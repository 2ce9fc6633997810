"""What the runs of a study are sorted into: pairs, settings, and cells of one start x pair x
setting.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.looks.competitors import Pair, Setting
from headstart.looks.outcomes import SAME_LOSS
from headstart.report.runs.records import Run

Rates = tuple[float, float, str, str]
"""Client rate, server rate, client and server with their parameters: what a tuning chooses."""


def rates_of(run: Run) -> Rates:
    """The rates of a run."""
    return run.client_rate, run.server_rate, run.client, run.server


def replaced(setting: Setting, axis: str, value: str | float) -> Setting:
    """The setting with another value of one of its fields."""
    return Setting(**(setting._asdict() | {axis: value}))


@dataclass(frozen=True)
class Cell:
    """The runs of one start x pair x setting at the chosen rates.

    Where a study was tuned several times, seeds with the rates of one repeat are alike, so that
    they count as one: `first_of_repeat` names the first of them by each seed.
    """

    start: str
    pair: Pair
    setting: Setting
    runs: tuple[Run, ...]
    first_of_repeat: Mapping[int, int] = field(default_factory=dict, compare=False)

    @property
    def diverged(self) -> int:
        """How many of the runs diverged."""
        return sum(not run.finished for run in self.runs)

    def by_seed(self, column: str) -> dict[int, Any]:
        """A column of the runs by seed."""
        return {run.seed: getattr(run, column) for run in self.runs}

    @property
    def seeds(self) -> frozenset[int]:
        """The seeds of the runs."""
        return frozenset(self.by_seed("seed"))

    def over_repeats(self, by_seed: Mapping[int, float]) -> dict[int, float]:
        """The mean over the seeds of each repeat of the tuning, by the first of them."""
        of_repeat: dict[int, list[float]] = {}
        for seed, value in by_seed.items():
            of_repeat.setdefault(self.first_of_repeat.get(seed, seed), []).append(value)
        return {seed: float(np.mean(values)) for seed, values in of_repeat.items()}

    @property
    def at_best_rates(self) -> tuple[Run, ...]:
        """The runs at the rates that ended highest in the mean: where a study was tuned several
        times each tuning has rates of its own, else these are all.
        """
        by_rates: dict[Rates, list[Run]] = {}
        for run in self.runs:
            by_rates.setdefault(rates_of(run), []).append(run)
        highest = max(by_rates.values(), key=_mean_of)
        return tuple(highest)

    @property
    def best_run(self) -> Run:
        """Of the runs at the best rates the one that ended highest."""
        return max(self.at_best_rates, key=_accuracy_of)

    @property
    def outcomes(self) -> dict[int, float]:
        """Final accuracy by seed, or by repeat of the tuning where these are fewer.

        It is NaN where a run diverged, or accuracy was not measured.
        """
        found = {}
        for run in self.runs:
            accuracy = run.test_accuracy if run.finished else None
            found[run.seed] = math.nan if accuracy is None else accuracy
        return self.over_repeats(found) if self.first_of_repeat else found

    @property
    def accuracy(self) -> dict[int, float]:
        """`outcomes`, where all runs have one.

        Empty where a run diverged, for a mean over the survivors would flatter the cell.
        """
        found = self.outcomes
        return {} if any(map(math.isnan, found.values())) else found

    def came_to_the_same(self, other: "Cell") -> bool:
        """Whether the runs of both have the same seeds, and came to the same but for rounding."""
        ours, theirs = self.by_seed("test_accuracy"), other.by_seed("test_accuracy")
        if not ours or ours != theirs or None in ours.values():
            return False
        losses = other.by_seed("test_loss")
        for seed, loss in self.by_seed("test_loss").items():
            if loss is None or losses[seed] is None:
                return False
            if not math.isclose(loss, losses[seed], rel_tol=SAME_LOSS):
                return False
        return True

    @property
    def mean(self) -> float:
        """Mean final accuracy; NaN, which ranks last, where a run diverged."""
        return float(np.mean(list(self.accuracy.values()))) if self.accuracy else math.nan


def _accuracy_of(run: Run) -> float:
    return -1.0 if run.test_accuracy is None else run.test_accuracy


def _mean_of(runs: Sequence[Run]) -> float:
    return float(np.mean([_accuracy_of(run) for run in runs]))
