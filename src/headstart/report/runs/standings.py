"""How the pairs stand from one start, and how surely: the ranking panel and the verdict both read this."""

from dataclasses import dataclass

import numpy as np

from headstart.report.runs.cells import Cell, Pair, Setting
from headstart.report.runs.grid import Study
from headstart.statistics import orders
from headstart.statistics.intervals import LEVEL, Estimate, couples, negated

KEY = 2206_15387  # of the bootstrap's generator: the paper's number, so that a page is the same each time it is written


@dataclass(frozen=True)
class Standing:
    """One start's pairs: means, ranks and the paired gaps to the best.

    A pair with a diverged run has no mean (NaN) and ranks last; within a seed it does so only where it diverged.
    """

    start: str
    pairs: tuple[Pair, ...]
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
    def level(self) -> list[int]:
        """Pairs that cannot be told apart from the best: Holm's p not below 1 - LEVEL, or no test (one seed)."""
        return [
            i
            for i, p in enumerate(self.adjusted)
            if i != self.best and not np.isnan(self.means[i]) and (p is None or p >= 1 - LEVEL)
        ]

    @property
    def best_cell(self) -> Cell | None:
        return None if self.best is None else self.cells[self.best]


def standing(study: Study, start: str, setting: Setting | None = None) -> Standing:
    pairs = study.comparable(setting)
    cells = [study.cell(start, pair, setting) for pair in pairs]
    outcomes = [cell.outcomes for cell in cells]
    seeds = sorted(set.intersection(*map(set, outcomes))) if outcomes else []
    scores = np.array([[by_seed[s] for s in seeds] for by_seed in outcomes], dtype=float)
    means = [
        float(row.mean()) if seeds and cell.accuracy else float("nan") for row, cell in zip(scores, cells, strict=True)
    ]
    best = int(np.nanargmax(means)) if np.isfinite(means).any() else None
    gaps: list[Estimate | None] = [None] * len(pairs)
    adjusted: list[float | None] = [None] * len(pairs)
    for (i, j), (difference, p) in couples([cell.accuracy for cell in cells]).items():
        if i == best:
            gaps[j], adjusted[j] = difference, p
        elif j == best:
            gaps[i], adjusted[i] = negated(difference), p
    nothing: list[float | None] = [None] * len(pairs)
    generator = np.random.Generator(np.random.Philox(key=KEY))
    return Standing(
        start, tuple(pairs), tuple(cells), len(study.pairs(setting)) - len(pairs), tuple(seeds), scores, means,
        orders.ranks(means),
        [*orders.mean_ranks(scores)] if seeds else nothing,
        [*orders.probability_best(scores, generator)] if seeds else nothing,
        gaps, adjusted, best,
    )  # fmt: skip


def contrast(study: Study) -> tuple[str, str] | None:
    """The two starts that the sentences compare: the first (random, where there is one) and the best of the others,
    by its best pair."""
    if len(study.starts) < 2:
        return None
    reference, *others = study.starts

    def quality(start: str) -> float:
        means = [study.cell(start, pair).mean for pair in study.comparable()]
        return float(np.nanmax(means)) if np.isfinite(means).any() else -1.0

    return reference, max(others, key=quality)
