"""How the pairs stand from one start, and how surely: the ranking panel and the verdict both read
this.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.looks.competitors import Pair
from headstart.report.runs.cells import Cell
from headstart.report.runs.records import any_measured
from headstart.statistics import orders
from headstart.statistics.intervals import LEVEL, Estimate, couples, negated

KEY = 2206_15387
"""Of the bootstrap's generator: the paper's number, so that a page is the same whenever it is
written.
"""


@dataclass(frozen=True)
class Standing:
    """The means, the ranks and the paired gaps to the best of one start's pairs.

    A pair with a diverged run has no mean (NaN) and ranks last; within a seed it does so only
    where it diverged.
    """

    start: str
    cells: tuple[Cell, ...]
    short: int  # pairs left out, for they have fewer seeds
    seeds: tuple[int, ...]  # that every pair has
    scores: orders.Scores  # [P, S] over these seeds
    means: list[float]
    ranks: list[float]
    mean_ranks: list[float | None]
    chance_best: list[float | None]
    gaps: list[Estimate | None]  # best - this pair
    adjusted: list[float | None]  # Holm's p of the gap, among all couples of pairs
    best: int | None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs, in the order of the study."""
        return tuple(cell.pair for cell in self.cells)

    @property
    def tied(self) -> list[int]:
        """The pairs that cannot be told apart from the best.

        Holm's p is not below 1 - LEVEL there, or there is no test (one seed).
        """
        found = []
        for i, p in enumerate(self.adjusted):
            has_mean = not np.isnan(self.means[i])
            if i != self.best and has_mean and (p is None or p >= 1 - LEVEL):
                found.append(i)
        return found

    @property
    def best_cell(self) -> Cell | None:
        """The cell of the best pair, where there is one."""
        return None if self.best is None else self.cells[self.best]

    @property
    def best_mean(self) -> float:
        """The mean accuracy of the best pair; -1 where there is none."""
        return -1.0 if self.best is None else self.means[self.best]

    @property
    def measured(self) -> bool:
        """Whether accuracy was: a finished run has one, or none finished."""
        return any_measured(itertools.chain.from_iterable(cell.runs for cell in self.cells))

    @property
    def diverged(self) -> int:
        """How many pairs have a diverged run."""
        return sum(cell.diverged > 0 for cell in self.cells)

    def ranked(self) -> list[int]:
        """The places of the pairs, the best first."""
        return sorted(range(len(self.cells)), key=lambda i: self.ranks[i])


def standing(start: str, cells: Sequence[Cell], short: int) -> Standing:
    """Rank the cells of one start; `short` pairs were left out, as they lack seeds."""
    outcomes = [cell.outcomes for cell in cells]
    seeds = sorted(set.intersection(*map(set, outcomes))) if outcomes else []
    scores = np.empty((len(cells), len(seeds)))
    means = [float("nan")] * len(cells)
    for i, cell in enumerate(cells):
        scores[i] = [outcomes[i][seed] for seed in seeds]
        if seeds and cell.accuracy:
            means[i] = float(scores[i].mean())
    best = int(np.nanargmax(means)) if np.isfinite(means).any() else None
    gaps: list[Estimate | None] = [None] * len(cells)
    adjusted: list[float | None] = [None] * len(cells)
    for (i, j), (difference, p) in couples([cell.accuracy for cell in cells]).items():
        if i == best:
            gaps[j], adjusted[j] = difference, p
        elif j == best:
            gaps[i], adjusted[i] = negated(difference), p
    nothing: list[float | None] = [None] * len(cells)
    generator = np.random.Generator(np.random.Philox(key=KEY))
    return Standing(
        start=start,
        cells=tuple(cells),
        short=short,
        seeds=tuple(seeds),
        scores=scores,
        means=means,
        ranks=orders.ranks(means),
        mean_ranks=[*orders.mean_ranks(scores)] if seeds else nothing,
        chance_best=[*orders.probability_best(scores, generator)] if seeds else nothing,
        gaps=gaps,
        adjusted=adjusted,
        best=best,
    )
