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
from headstart.statistics.intervals import Estimate, differences, t_interval
from headstart.statistics.shares import wilson
from headstart.tables import ON_OWN_ROWS

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Accuracies that differ by less are the same."""


@dataclass(frozen=True)
class Helped:
    """What changes for clients from one start to another, each with the pair of its cell.

    Intervals are over seeds, or over the repeats of the tuning where several seeds share one.
    gains: by seed the accuracy of each client from `other` less that from `reference` [K], sorted.
    middle: what the median client gains, which is more than nothing where most clients gain.
    worse, better: the shares of clients whose accuracy is lower, or higher. tenth, worst: by how
    much the mean of the worst tenth of clients, and the worst client, gain.
    """

    reference: Cell
    other: Cell
    gains: Mapping[int, Floats]
    middle: Estimate
    worse: Estimate
    better: Estimate
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
    medians = {seed: float(np.median(gain_K)) for seed, gain_K in gains.items()}
    middle = t_interval(other.over_repeats(medians).values())

    def change(summary: Callable[[Iterable[float]], float]) -> Estimate | None:
        found = differences(by_seed(after, summary), by_seed(before, summary))
        return t_interval(other.over_repeats(found).values()) if found else None

    return Helped(
        reference=reference,
        other=other,
        gains=gains,
        middle=middle,
        worse=_share(other, gains, middle, lambda gain_K: gain_K < -ROUNDING),
        better=_share(other, gains, middle, lambda gain_K: gain_K > ROUNDING),
        tenth=change(worst_tenth),
        worst=change(min),
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


def _share(
    cell: Cell,
    gains: Mapping[int, Floats],
    middle: Estimate,
    counts: Callable[[Floats], NDArray[np.bool_]],
) -> Estimate:
    """The share of clients that count, mean over seeds, with its interval.

    The clients of a seed share one model, whose luck moves them together: their shares are then
    near 0 or 1, and intervals of such means are far too narrow with few seeds. What luck moves is
    the median gain. So the interval is that of the shares that the clients, with their distances
    from the median, have at the ends of its t interval. With one seed it is Wilson's, over clients.
    """
    shares = {seed: float(counts(gain_K).mean()) for seed, gain_K in gains.items()}
    value = float(np.mean(list(cell.over_repeats(shares).values())))
    if len(gains) == 1:
        (gain_K,) = gains.values()
        return Estimate(value, *wilson(int(counts(gain_K).sum()), len(gain_K)), 1)
    if middle.low is None or middle.high is None:
        return Estimate(value, None, None, middle.n)
    apart = np.concatenate([gain_K - np.median(gain_K) for gain_K in gains.values()])
    ends = [float(counts(apart + end).mean()) for end in (middle.low, middle.high)]
    return Estimate(value, min(value, *ends), max(value, *ends), middle.n)
