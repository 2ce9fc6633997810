"""Whom a start helps: the accuracy of each client at the end of a run, paired within clients over
starts.

Shape suffixes: K clients.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.report.runs.cells import Cell
from headstart.report.runs.client_values import ByClient
from headstart.report.runs.grid import Grid
from headstart.statistics.intervals import Estimate, paired_difference, t_interval
from headstart.statistics.shares import wilson
from headstart.tables import ON_OWN_ROWS

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Accuracies that differ by less are the same."""


@dataclass(frozen=True)
class Helped:
    """What changes for clients from one start to another, each with the pair of its cell.

    gains: by seed the accuracy of each client from `other` less that from `reference` [K], sorted.
    worse, better: the shares of clients whose accuracy is lower, or higher, with intervals over
    seeds; over clients (Wilson) where there is one seed. more: the share that is better off less
    the share that is worse off. tenth, worst: by how much the mean of the worst tenth of clients,
    and the worst client, gain.
    """

    reference: Cell
    other: Cell
    gains: Mapping[int, Floats]
    worse: Estimate
    better: Estimate
    more: Estimate
    tenth: Estimate | None
    worst: Estimate | None

    @property
    def clients(self) -> int:
        """How many clients there are, in the seed that has most."""
        return max(map(len, self.gains.values()))


def of_clients(grid: Grid, cell: Cell) -> dict[int, ByClient]:
    """The accuracies of clients at the end of the runs of a cell, by seed; those of runs that have
    none are missing.
    """
    found = {}
    for run in cell.runs:
        accuracy = grid.records.clients.get(run.run)
        if accuracy and run.finished:
            found[run.seed] = accuracy
    return found


def helped(grid: Grid, reference: Cell, other: Cell) -> Helped | None:
    """Whom the start of another cell helps; None where no seed of both measured its clients."""
    before, after = of_clients(grid, reference), of_clients(grid, other)
    gains: dict[int, Floats] = {}
    for seed in sorted(before.keys() & after.keys()):
        shared = before[seed].keys() & after[seed].keys()
        gain = [after[seed][client] - before[seed][client] for client in shared]
        if gain:
            gains[seed] = np.sort(gain)
    if not gains:
        return None
    worse, better = {}, {}
    for seed, gain_K in gains.items():
        worse[seed], better[seed] = (
            float((gain_K < -ROUNDING).mean()),
            float((gain_K > ROUNDING).mean()),
        )
    tenth = paired_difference(by_seed(after, worst_tenth), by_seed(before, worst_tenth))
    worst = paired_difference(by_seed(after, min), by_seed(before, min))
    return Helped(
        reference=reference,
        other=other,
        gains=gains,
        worse=_share(worse, gains),
        better=_share(better, gains),
        more=t_interval([better[seed] - worse[seed] for seed in gains]),
        tenth=tenth,
        worst=worst,
    )


def worst_tenth(accuracies: Iterable[float]) -> float:
    """The mean of the lowest tenth of accuracies, of one at least.

    >>> worst_tenth([0.5, 0.1, 0.3])
    0.1
    """
    ascending = sorted(accuracies)
    return float(np.mean(ascending[: -(-len(ascending) // 10)]))


def on_own_rows(grid: Grid, cell: Cell) -> bool:
    """Whether clients were measured on test rows of their own."""
    lasts = [values[-1] for _, values in grid.curves(cell, ON_OWN_ROWS).values()]
    return bool(lasts) and all(lasts)


def by_seed(
    accuracies: Mapping[int, ByClient], summary: Callable[[Iterable[float]], float]
) -> dict[int, float]:
    """What the accuracies of the clients of each seed are summed up to."""
    return {seed: float(summary(each.values())) for seed, each in accuracies.items()}


def _share(shares: Mapping[int, float], gains: Mapping[int, Floats]) -> Estimate:
    """The mean over seeds with its interval, cut to what a share can be."""
    if len(shares) == 1:
        ((seed, share),) = shares.items()
        trials = len(gains[seed])
        return Estimate(share, *wilson(round(share * trials), trials), 1)
    found = t_interval(shares.values())
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value, max(0.0, found.low), min(1.0, found.high), found.n)
