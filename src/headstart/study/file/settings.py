"""What all runs of a study are set to alike: each is a key of the study file and a field of a run
under the same name, and is declared here alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headstart.models.network import Precision
from headstart.parts.parameters import AddedLater

Count = Annotated[int, Field(ge=1)]


class Placement:
    """Marks a field that says where things are or what is kept: it changes no bit of a result, and
    is no part of a run's key.
    """


@dataclass(frozen=True, kw_only=True)
class RoundSettings:
    """Those that a round is computed with."""

    batch_size: Count = 8
    weighting: Literal["samples", "uniform"] = "samples"


@dataclass(frozen=True, kw_only=True)
class RunSettings(RoundSettings):
    """All of them. One that comes after studies have been run is `AddedLater`, at whose default
    runs keep their keys.
    """

    rounds: Count = 60
    every: Count = 5
    evaluate_on: Literal["test", "validation"] = "test"
    precision: Precision = "fp32"
    device: Annotated[str, AddedLater()] = "cpu"
    data_mib: Annotated[Annotated[int, Field(ge=0)] | None, Placement()] = None
    keep_weights: Annotated[Literal["last", "both"], Placement()] = "last"


def _whole_or_part(number: float) -> float:
    if number > 1 and number != int(number):
        raise ValueError(f"expected a whole number, or a part of one, got {number:g}")
    return number


class PerRun(BaseModel):
    """What a group of runs, which are computed together, has of a cluster's node to itself: it says
    where runs may be, and changes none.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    cpus: Annotated[float, Field(gt=0), AfterValidator(_whole_or_part)] = 1
    gpus: Annotated[float, Field(ge=0), AfterValidator(_whole_or_part)] = 0

    def fits(self, node: Mapping[str, float]) -> int:
        """How many find room on a node, by what it has of `CPU` and `GPU`.

        >>> PerRun(cpus=2).fits({"CPU": 5.0}), PerRun(gpus=0.25).fits({"CPU": 8.0, "GPU": 1.0})
        (2, 4)
        """
        found = node.get("CPU", 0.0) / self.cpus
        if self.gpus:
            found = min(found, node.get("GPU", 0.0) / self.gpus)
        return int(found + 1e-9)

    def __str__(self) -> str:
        return f"{self.cpus:g} cpus and {self.gpus:g} gpus"
