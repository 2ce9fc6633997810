"""A run as data: all that its result depends on, and the key that names it by its content."""

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Annotated, Any, Literal

from headstart.parts.parameters import AddedLater
from headstart.parts.registry import Component
from headstart.study.file.settings import Placement, RoundSettings, RunSettings
from headstart.wording.epochs import in_words

SCHEMA = 1
"""Part of every run's key: raised when the same specification comes to mean something else."""

PARTS = ("task", "model", "start", "client", "server", "partition", "devices")
"""The fields of a run that are parts, apart from its probes and its executor."""


@dataclass(frozen=True, kw_only=True)
class Settings(RoundSettings):
    """What the rounds of a federation are set to, whatever they train."""

    server: Component
    devices: Component
    local_epochs: float  # a whole number, or one with a fraction
    client_rate: float
    server_rate: float
    client_rate_by_round: Annotated[str, AddedLater()] = "constant"
    server_rate_by_round: Annotated[str, AddedLater()] = "constant"
    seed: int
    cohort: int


@dataclass(frozen=True, kw_only=True)
class RunSpec(Settings, RunSettings):
    """One run as data: all that its result depends on.

    `baseline`: of a run that others are held against, how it trains instead
    (`headstart.study.baselines`); `alone`: the number of the client that does, where it is one.
    """

    task: Component
    model: Component
    start: Component
    client: Component
    partition: Component
    population: int
    probes: tuple[Component, ...]
    executor: Component
    trainable: Annotated[str, AddedLater()] = "all"
    baseline: Annotated[Literal["none", "centralised", "local"], AddedLater()] = "none"
    alone: Annotated[int | None, AddedLater()] = None

    @property
    def parts(self) -> tuple[Component, ...]:
        """All that it is made of and that somebody may have written."""
        named = [getattr(self, name) for name in PARTS]
        return (*named, self.executor, *self.probes)

    def identity(self) -> dict[str, Any]:
        """All fields that the result depends on."""
        return {name: _identity(getattr(self, name)) for name in _FIELDS}

    @cached_property
    def key(self) -> str:
        """The name of the run's folder: 16 hex digits of the sha256 of its specification."""
        return hashlib.sha256(self._canonical().encode()).hexdigest()[:16]

    @property
    def row(self) -> dict[str, Any]:
        """The columns of `headstart.tables.RunRow` that are known before it is run, but for its
        task and model, which are alike for all.
        """
        return {
            "run": self.key,
            "start": str(self.start),
            "client": str(self.client),
            "server": str(self.server),
            "partition": str(self.partition),
            "devices": str(self.devices),
            "trainable": self.trainable,
            "local_epochs": self.local_epochs,
            "client_rate": self.client_rate,
            "server_rate": self.server_rate,
            "seed": self.seed,
        }

    def spec(self) -> dict[str, Any]:
        """The canonical specification, as a record of the run has it."""
        spec: dict[str, Any] = json.loads(self._canonical())
        return spec

    def _canonical(self) -> str:
        told = {name: value for name, value in self.identity().items() if LATER.get(name) != value}
        return json.dumps({"schema": SCHEMA, **told}, sort_keys=True, default=str)

    def __str__(self) -> str:
        parts = (self.start, self.client, self.server, self.partition, self.devices)
        epochs = in_words(self.local_epochs)
        numbers = f"{epochs}, rates {self.client_rate:g} and {self.server_rate:g}"
        what = "" if self.trainable == "all" else f"training {self.trainable}, "
        how = {"none": "", "centralised": "centralised: ", "local": f"client {self.alone} alone: "}
        names = ", ".join(part.label for part in parts)
        said = f"{names}, {what}{numbers}, seed {self.seed}"
        return how[self.baseline] + said


def _marked(mark: type) -> dict[str, Any]:
    """The defaults of the fields that have a mark, by their names."""
    defaults = {}
    for field in fields(RunSpec):
        if any(isinstance(one, mark) for one in getattr(field.type, "__metadata__", ())):
            defaults[field.name] = field.default
    return defaults


LATER = _marked(AddedLater)
"""Fields that came after studies had been run: at these values they are no part of a key."""

PLACEMENT = _marked(Placement).keys()
"""Fields that are no part of a key at any value."""

_FIELDS = {field.name for field in fields(RunSpec)} - PLACEMENT


def _identity(value: Any) -> Any:
    """What a field says, but where it was written: a run is the same wherever its study lies."""
    if isinstance(value, tuple):
        return tuple(map(_identity, value))
    return value.identity() if isinstance(value, Component) else value
