"""What a study is held against: the constant answer, chance, each start as it is before the first
round, and other training from it, on all rows in one place and by clients alone.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from headstart.report.measures.before_training import initial
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.statistics.shares import ratio_interval
from headstart.tables import BaselineRow

CONSTANT, CHANCE = "constant", "chance"


@dataclass(frozen=True)
class Gap:
    """The accuracies of a cell and of the other training that it is held against, by seed.

    cell: where several seeds share one tuning, its interval is over the tunings.
    centralised: on all rows in one place. local: by each client alone, the mean over those that
    were trained. clients: how many they were, in all seeds together. A run that diverged leaves its
    seed out.
    """

    cell: Cell
    federated: dict[int, float]
    centralised: dict[int, float]
    local: dict[int, float]
    clients: int

    @property
    def seeds(self) -> list[int]:
        """The seeds that have all three."""
        return sorted(self.federated.keys() & self.centralised.keys() & self.local.keys())

    @property
    def closed(self) -> float | None:
        """The share of the gap that federated training closes, (federated - local) / (centralised -
        local), of the means over seeds; None where nothing lies between.
        """
        if not self.seeds:
            return None
        gains, gaps = self._gains_and_gaps()
        gap = float(np.mean(gaps))
        return float(np.mean(gains)) / gap if gap > 0 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval by seed (Fieller); None where the gap is not told from zero."""
        return ratio_interval(*self._gains_and_gaps()) if self.closed is not None else None

    def _gains_and_gaps(self) -> tuple[list[float], list[float]]:
        found = []
        for upper in (self.federated, self.centralised):
            by_seed = {seed: upper[seed] - self.local[seed] for seed in self.seeds}
            found.append(list(self.cell.over_repeats(by_seed).values()))
        gains, gaps = found
        return gains, gaps


def gap(grid: Grid, cell: Cell) -> Gap | None:
    """The gap that a cell is held against; None where no other training is."""
    others: dict[str, dict[int, list[float]]] = {"centralised": {}, "local": {}}
    seeds = {run.run: run.seed for run in cell.runs}
    lost: defaultdict[str, set[int]] = defaultdict(set)
    for row in grid.records.baseline_runs:
        if row.held_against in seeds:
            seed = seeds[row.held_against]
            if row.test_accuracy is None:
                lost[row.baseline].add(seed)
            else:
                others[row.baseline].setdefault(seed, []).append(row.test_accuracy)
    means: dict[str, dict[int, float]] = {}
    for name, by_seed in others.items():
        whole = by_seed.keys() - lost[name]
        means[name] = {seed: float(np.mean(by_seed[seed])) for seed in sorted(whole)}
    if not any(means.values()):
        return None
    finished = {run.seed: run.test_accuracy for run in cell.runs if run.finished}
    federated = {seed: a for seed, a in finished.items() if a is not None}
    clients = sum(map(len, others["local"].values()))
    return Gap(cell, federated, means["centralised"], means["local"], clients)


def constant(grid: Grid) -> BaselineRow | None:
    """The constant answer of the study's task; None where the tables have none."""
    return _named(grid, CONSTANT)


def chance(grid: Grid) -> BaselineRow | None:
    """A guess among all classes; None where the tables have none, as with numbers."""
    return _named(grid, CHANCE)


def constant_accuracy(grid: Grid) -> float | None:
    """The share of predictions that the constant answer gets right; None where it is not known."""
    row = constant(grid)
    return None if row is None else row.accuracy


def untrained_accuracy(grid: Grid, start: str) -> dict[int, float]:
    """The accuracy of a start before the first round, by seed; empty where it was not measured."""
    return initial(grid, start, "test_accuracy")


def untrained_loss(grid: Grid, start: str) -> dict[int, float]:
    """The loss of a start before the first round, by seed; empty where it was not measured."""
    return initial(grid, start, "test_loss")


def _named(grid: Grid, name: str) -> BaselineRow | None:
    rows = [row for row in grid.records.baselines if row.baseline == name]
    return rows[0] if rows else None
