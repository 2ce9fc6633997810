"""A study file: its keys with their types and defaults, and how it is read.

A study file is YAML, and nothing in it is executed. Its axes (starts, what is trained, clients, servers, partitions,
devices, local epochs, rates) span the main grid; every entry of `also` spans a further one in which the axes that it
does not name are those of the main grid.
"""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from headstart import files
from headstart.errors import HeadstartError
from headstart.models.network import Precision
from headstart.study.trainable import readable


def _listed(value: object) -> object:
    return list(value) if isinstance(value, list | tuple | range) else [value]


Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
Trainable = Annotated[str, AfterValidator(readable)]
Names = Annotated[list[Any], BeforeValidator(_listed), Field(min_length=1)]
Counts = Annotated[list[Count], BeforeValidator(_listed), Field(min_length=1)]
Rates = Annotated[list[Rate], BeforeValidator(_listed), Field(min_length=1)]
Trainables = Annotated[list[Trainable], BeforeValidator(_listed), Field(min_length=1)]
Seeds = Annotated[list[Seed], BeforeValidator(_listed), Field(min_length=1)]


def _upwards(ends: list[float]) -> list[float]:
    if ends[0] >= ends[1]:
        raise ValueError(f"expected a range [low, high] with low < high, got [{ends[0]:g}, {ends[1]:g}]")
    return ends


Ends = Annotated[list[Rate], Field(min_length=2, max_length=2), AfterValidator(_upwards)]


class Strict(BaseModel):
    """Unknown keys are refused, and a type is only what it says: true is no number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Axes(Strict):
    """The axes of a further grid; what is left out is as in the main grid."""

    starts: Names | None = None
    trainable: Trainables | None = None
    clients: Names | None = None
    servers: Names | None = None
    partitions: Names | None = None
    devices: Names | None = None
    local_epochs: Counts | None = None
    client_rates: Rates | None = None
    server_rates: Rates | None = None
    seeds: Seeds | None = None


class RateRow(Strict):
    """Learning rates for the runs that it matches; a bare name matches with any parameters, what is left out all."""

    start: Any = None
    trainable: Trainable | None = None
    client: Any = None
    server: Any = None
    partition: Any = None
    devices: Any = None
    local_epochs: Count | None = None
    client_rate: Rate
    server_rate: Rate


class Tuning(Strict):
    """What every pair and start is tuned with: the same number of trials, seeds and rounds, on the validation part."""

    trials: Count = 20
    seeds: Seeds = [0]
    rounds: Count | None = None
    prune: bool = True
    client_rate: Ends = [1e-3, 10.0]
    server_rate: Ends = [1e-3, 10.0]
    parameters: bool = True
    each: list[Literal["partition", "devices", "local_epochs"]] = []


class StudyFile(Strict):
    """The keys of a study file, with their defaults."""

    name: str = "study"
    title: str = ""
    task: Any
    model: Any
    starts: Names = ["random"]
    trainable: Trainables = ["all"]
    clients: Names = ["sgd"]
    servers: Names = ["sgd"]
    partitions: Names = ["iid"]
    devices: Names = ["equal"]
    local_epochs: Counts = [1]
    client_rates: Rates = [0.1]
    server_rates: Rates = [1.0]
    seeds: Seeds = [0, 1, 2]
    population: Count | Literal["natural"] = 100
    cohort: Count = 10
    batch_size: Count = 8
    rounds: Count = 60
    weighting: Literal["samples", "uniform"] = "samples"
    probes: Names = ["evaluation", "alignment", "distance"]
    every: Count = 5
    evaluate_on: Literal["test", "validation"] = "test"
    target_accuracy: Annotated[float, Field(gt=0, le=1)] | None = None
    executor: Any = "stacked"
    precision: Precision = "fp32"
    device: str = "cpu"
    data_mib: Annotated[int, Field(ge=0)] | None = None
    tuning: Tuning | None = None
    rates: list[RateRow] = []
    also: list[Axes] = []


def read(path: Path) -> dict[str, Any]:
    """The keys of a study file, as they are written.

    Raises:
        HeadstartError: the file cannot be read, or is no mapping of keys.
    """
    try:
        with files.explained(path, "read"):
            keys = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise HeadstartError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(keys, Mapping) or not all(isinstance(key, str) for key in keys):
        raise HeadstartError(f"{path}: expected a mapping of study keys, got {type(keys).__name__}")
    return dict(keys)


class _Loader(yaml.SafeLoader):
    """YAML without tags that execute anything; keys stand once; 1e-3 is a number, as in YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: list[Any] = []
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in keys:
                problem = f"the key {key!r} is there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            keys.append(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)
