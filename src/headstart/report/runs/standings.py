"""How the pairs stand from one start, and how surely: the ranking panel and the verdict both read
this.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.looks.competitors import Pair
from headstart.looks.decided import Decided
from headstart.report.runs.cells import Cell
from headstart.report.runs.records import any_measured
from headstart.statistics import orders
from headstart.statistics.joint.decisions import Bounds


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
    gaps: list[Bounds | None]  # best - this pair, at the last look
    behind: frozenset[int]  # those that another is ahead of by then
    chances: list[float | None]  # to be the best, at the last look
    best: int | None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs, in the order of the study."""
        return tuple(cell.pair for cell in self.cells)

    @property
    def best_cell(self) -> Cell | None:
        """The cell of the best pair, where there is one."""
        return None if self.best is None else self.cells[self.best]

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


def standing(start: str, cells: Sequence[Cell], short: int, found: Decided) -> Standing:
    """Rank the cells of one start.

    Args:
        start: its name.
        cells: one a pair.
        short: how many pairs were left out, as they lack seeds.
        found: what the study has decided.
    """
    outcomes = [cell.outcomes for cell in cells]
    seeds = sorted(set.intersection(*map(set, outcomes))) if outcomes else []
    scores = np.empty((len(cells), len(seeds)))
    means = [float("nan")] * len(cells)
    for i, cell in enumerate(cells):
        scores[i] = [outcomes[i][seed] for seed in seeds]
        if seeds and cell.accuracy:
            means[i] = float(scores[i].mean())
    best = int(np.nanargmax(means)) if np.isfinite(means).any() else None
    nothing: list[float | None] = [None] * len(cells)
    gaps, behind, chances = _at_the_last_look(start, cells, best, found)
    return Standing(
        start=start,
        cells=tuple(cells),
        short=short,
        seeds=tuple(seeds),
        scores=scores,
        means=means,
        ranks=orders.ranks(means),
        mean_ranks=[*orders.mean_ranks(scores)] if seeds else nothing,
        gaps=gaps,
        behind=behind,
        chances=chances,
        best=best,
    )


def _at_the_last_look(
    start: str, cells: Sequence[Cell], best: int | None, found: Decided
) -> tuple[list[Bounds | None], frozenset[int], list[float | None]]:
    """The gaps of the pairs to the best, those that another is ahead of, and their chances."""
    gaps: list[Bounds | None] = [None] * len(cells)
    chances: list[float | None] = [None] * len(cells)
    behind: set[int] = set()
    if found.last is None or best is None:
        return gaps, frozenset(), chances
    place = found.starts.index(start)
    worse = found.last.worse(place)
    first = found.place_of(cells[best].pair)
    for i, cell in enumerate(cells):
        pair = found.place_of(cell.pair)
        gaps[i] = found.last.pairs.get((place, first, pair))
        chances[i] = float(found.last.chances[place, pair])
        if pair in worse:
            behind.add(i)
    return gaps, frozenset(behind), chances
