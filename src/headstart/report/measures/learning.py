"""Whether training from a start has changed anything."""

from dataclasses import dataclass

import numpy as np

from headstart.report.measures.before_training import initial
from headstart.report.runs.grid import Grid

LEARNED = 0.02
"""Two points of accuracy in all: less is no training to speak of. Ours."""


@dataclass(frozen=True)
class Learning:
    """The mean accuracy from a start before the first round, and at the end with the best pair."""

    start: str
    before: float
    best: float

    @property
    def hardly(self) -> bool:
        """Whether accuracy has hardly risen by the end."""
        return self.best - self.before < LEARNED

    @property
    def worse(self) -> bool:
        """Whether it has fallen by as much as would be training."""
        return self.before - self.best >= LEARNED


def learning(grid: Grid, start: str) -> Learning | None:
    """What training from a start has changed; None where that was not measured."""
    begin = initial(grid, start, "test_accuracy")
    ends = [grid.cell(start, pair).mean for pair in grid.pairs()]
    if not begin or not np.isfinite(ends).any():
        return None
    return Learning(start, sum(begin.values()) / len(begin), float(np.nanmax(ends)))


def unlearned(grid: Grid) -> list[Learning]:
    """The starts from which accuracy has hardly risen."""
    found = []
    for start in grid.starts:
        each = learning(grid, start)
        if each and each.hardly:
            found.append(each)
    return found
