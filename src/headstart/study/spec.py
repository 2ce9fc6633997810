"""What a study is: the axes of its grid, what its runs have in common, and each run as data with a content key.

A study file is YAML. Its axes (starts, clients, servers, partitions, devices, local epochs, rates) span the main
grid; every entry of `also` spans a further one in which the axes that it does not name are those of the main grid.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from headstart import files
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS
from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.probes.base import PROBES
from headstart.registry import Component, Registry, validate
from headstart.servers.base import SERVERS
from headstart.starts.base import STARTS
from headstart.tasks.base import PARTITIONS, TASKS

SCHEMA = 1
"""Part of every run's key: raised when the same specification comes to mean something else."""

AXES: dict[str, Registry[Any]] = {
    "starts": STARTS,
    "clients": CLIENTS,
    "servers": SERVERS,
    "partitions": PARTITIONS,
    "devices": DEVICES,
}


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


Names = Annotated[list[Any], BeforeValidator(_listed), Field(min_length=1)]
Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_listed), Field(min_length=1)]
Rates = Annotated[list[Annotated[float, Field(gt=0)]], BeforeValidator(_listed), Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], BeforeValidator(_listed), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Axes(_Strict):
    """The axes of a further grid; what is left out is as in the main grid."""

    starts: Names | None = None
    clients: Names | None = None
    servers: Names | None = None
    partitions: Names | None = None
    devices: Names | None = None
    local_epochs: Counts | None = None
    client_rates: Rates | None = None
    server_rates: Rates | None = None
    seeds: Seeds | None = None


class RateRow(_Strict):
    """Learning rates for the runs that it matches; what is left out matches all."""

    start: str | None = None
    client: str | None = None
    server: str | None = None
    partition: str | None = None
    devices: str | None = None
    local_epochs: int | None = None
    client_rate: Annotated[float, Field(gt=0)]
    server_rate: Annotated[float, Field(gt=0)]


class StudyFile(_Strict):
    """The keys of a study file, with their defaults."""

    name: str = "study"
    title: str = ""
    task: Any
    model: Any
    starts: Names = ["random"]
    clients: Names = ["sgd"]
    servers: Names = ["sgd"]
    partitions: Names = ["iid"]
    devices: Names = ["equal"]
    local_epochs: Counts = [1]
    client_rates: Rates = [0.1]
    server_rates: Rates = [1.0]
    seeds: Seeds = [0, 1, 2]
    population: Annotated[int, Field(ge=1)] = 100
    cohort: Annotated[int, Field(ge=1)] = 10
    batch_size: Annotated[int, Field(ge=1)] = 8
    rounds: Annotated[int, Field(ge=1)] = 60
    weighting: Literal["samples", "uniform"] = "samples"
    probes: Names = ["evaluation", "alignment", "distance"]
    every: Annotated[int, Field(ge=1)] = 5
    evaluate_on: Literal["test", "validation"] = "test"
    target_accuracy: Annotated[float, Field(gt=0, le=1)] | None = None
    executor: Any = "stacked"
    rates: list[RateRow] = []
    also: list[Axes] = []


@dataclass(frozen=True)
class RunSpec:
    """One run as data: all that its result depends on."""

    task: Component
    model: Component
    start: Component
    client: Component
    server: Component
    partition: Component
    devices: Component
    local_epochs: int
    client_rate: float
    server_rate: float
    seed: int
    population: int
    cohort: int
    batch_size: int
    rounds: int
    weighting: Literal["samples", "uniform"]
    probes: tuple[Component, ...]
    every: int
    evaluate_on: Literal["test", "validation"]
    executor: Component

    @property
    def key(self) -> str:
        """The name of the run's folder: 16 hex digits of the sha256 of the canonical specification."""
        canonical = json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        parts = (self.start, self.client, self.server, self.partition, self.devices)
        return f"{', '.join(map(str, parts))}, {self.local_epochs} local epochs, seed {self.seed}"


class Study:
    """A validated study: `Study(task="digits", model="mlp", starts=["random", "proxy"], ...)`.

    The keys are those of a study file (`StudyFile`).

    Raises:
        HeadstartError: one line with the path in the file, for unknown keys or names, wrong types or ranges.
    """

    def __init__(self, **keys: Any) -> None:
        parsed = validate(StudyFile, keys)
        assert isinstance(parsed, StudyFile)
        self.file = parsed
        self.task = TASKS.component(parsed.task, "task")
        self.model = MODELS.component(parsed.model, "model")
        self.executor = EXECUTORS.component(parsed.executor, "executor")
        self.probes = tuple(PROBES.component(p, f"probes[{i}]") for i, p in enumerate(parsed.probes))
        if parsed.cohort > parsed.population:
            raise HeadstartError(
                f"cohort: expected at most the number of clients (population: {parsed.population}), got {parsed.cohort}"
            )
        self._used_rows: set[int] = set()
        self.runs = list({run.key: run for grid in self._grids() for run in self._expand(grid)}.values())
        for i in sorted(set(range(len(parsed.rates))) - self._used_rows):
            raise HeadstartError(
                f"rates[{i}]: matches no run that an earlier row leaves; correct its names or remove it"
            )

    @classmethod
    def load(cls, path: str | Path) -> "Study":
        """Read a study file (YAML, nothing in it is executed)."""
        path = Path(path)
        try:
            with files.explained(path, "read"):
                keys = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise HeadstartError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(keys, Mapping) or not all(isinstance(key, str) for key in keys):
            raise HeadstartError(f"{path}: expected a mapping of study keys, got {type(keys).__name__}")
        try:
            return cls(**keys)
        except HeadstartError as error:
            raise HeadstartError(f"{path}: {error}") from None

    def resolved(self) -> str:
        """The study as YAML with every default written out: equal text means an equal study."""
        written = self.file.model_dump(exclude_none=True)
        for axis, registry in AXES.items():
            written[axis] = [str(registry.component(part)) for part in written[axis]]
        for name in ("task", "model", "executor"):
            written[name] = str(getattr(self, name))
        written["probes"] = [str(probe) for probe in self.probes]
        return yaml.safe_dump({"schema": SCHEMA, **written}, sort_keys=False, allow_unicode=True, width=120)

    def _grids(self) -> Iterator[dict[str, list[Any]]]:
        main = {axis: getattr(self.file, axis) for axis in Axes.model_fields}
        yield self._components(main, "")
        for i, axes in enumerate(self.file.also):
            yield self._components({**main, **axes.model_dump(exclude_none=True)}, f"also[{i}].")

    def _components(self, axes: dict[str, list[Any]], path: str) -> dict[str, list[Any]]:
        read = {
            axis: [registry.component(part, f"{path}{axis}[{i}]") for i, part in enumerate(axes[axis])]
            for axis, registry in AXES.items()
        }
        return {**axes, **read}

    def _expand(self, axes: dict[str, list[Any]]) -> Iterator[RunSpec]:
        for values in itertools.product(*axes.values()):
            start, client, server, partition, devices, local_epochs, client_rate, server_rate, seed = values
            run = RunSpec(
                task=self.task,
                model=self.model,
                start=start,
                client=client,
                server=server,
                partition=partition,
                devices=devices,
                local_epochs=local_epochs,
                client_rate=client_rate,
                server_rate=server_rate,
                seed=seed,
                population=self.file.population,
                cohort=self.file.cohort,
                batch_size=self.file.batch_size,
                rounds=self.file.rounds,
                weighting=self.file.weighting,
                probes=self.probes,
                every=self.file.every,
                evaluate_on=self.file.evaluate_on,
                executor=self.executor,
            )
            yield self._with_rates(run)

    def _with_rates(self, run: RunSpec) -> RunSpec:
        """The rates of the first row that matches, by registered name or as written; else those of the axes."""
        for i, row in enumerate(self.file.rates):
            wanted = row.model_dump(exclude_none=True, exclude={"client_rate", "server_rate"})
            if all(_matches(getattr(run, field), value) for field, value in wanted.items()):
                self._used_rows.add(i)
                return replace(run, client_rate=row.client_rate, server_rate=row.server_rate)
        return run


def _matches(part: Component | int, wanted: str | int) -> bool:
    return part == wanted or (isinstance(part, Component) and wanted in (part.name, str(part)))
