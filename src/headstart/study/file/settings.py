"""What all runs of a study are set to alike: each is a key of the study file and a field of a run
under the same name, and is declared here alone.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

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
