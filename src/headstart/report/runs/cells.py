"""What the runs of a study are sorted into: pairs, settings, and cells of one start x pair x setting."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.epochs import in_words
from headstart.report.runs.records import Run

DEFAULT_DEVICES, IID, ALL = "equal", "iid", "all"


class Pair(NamedTuple):
    client: str
    server: str

    def __str__(self) -> str:
        return f"{self.client} + {self.server}"


class Setting(NamedTuple):
    partition: str
    devices: str
    local_epochs: float
    trainable: str = ALL

    def __str__(self) -> str:
        devices = "equal devices" if self.devices == DEFAULT_DEVICES else self.devices
        training = "" if self.trainable == ALL else f", training {self.trainable} only"
        return f"{self.partition}, {devices}, {in_words(self.local_epochs)}{training}"


def replaced(setting: Setting, axis: str, value: str | float) -> Setting:
    return Setting(**(setting._asdict() | {axis: value}))


@dataclass(frozen=True)
class Cell:
    """The runs of one start x pair x setting at the chosen rates."""

    start: str
    pair: Pair
    setting: Setting
    runs: tuple[Run, ...]

    @property
    def diverged(self) -> int:
        return sum(not run.finished for run in self.runs)

    @property
    def outcomes(self) -> dict[int, float]:
        """Final accuracy by seed; NaN where the run diverged, or accuracy was not measured."""
        measured = {run.seed: run.test_accuracy if run.finished else None for run in self.runs}
        return {seed: float("nan") if value is None else value for seed, value in measured.items()}

    @property
    def accuracy(self) -> dict[int, float]:
        """Final accuracy by seed: empty where a run diverged, for a mean over the survivors would flatter the cell."""
        found = self.outcomes
        return {} if any(np.isnan(value) for value in found.values()) else found

    @property
    def mean(self) -> float:
        """Mean final accuracy; NaN, which ranks last, where a run diverged."""
        return float(np.mean(list(self.accuracy.values()))) if self.accuracy else float("nan")


def family(name: str) -> str:
    return name.split("(")[0].split("@")[0]
