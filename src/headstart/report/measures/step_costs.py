"""The cost of one step along an axis (IID to not, equal to uneven devices, few to many epochs), by
start.
"""

from dataclasses import dataclass

import numpy as np

from headstart.report.runs.grid import Block, Grid, Slice
from headstart.statistics import effects
from headstart.statistics.intervals import Estimate, differences, paired_difference, t_interval


@dataclass(frozen=True)
class Effect:
    """The drop of accuracy along the step by start and seed, mean over the pairs of the block."""

    block: Block
    drops: dict[str, dict[int, float]]

    def drop(self, start: str) -> Estimate | None:
        """The mean drop from a start."""
        return t_interval(self.drops[start].values()) if self.drops[start] else None

    def saved(self, reference: str, other: str) -> Estimate | None:
        """How much smaller the drop is from `other`: a difference of differences, paired by
        seed.
        """
        return paired_difference(self.drops[reference], self.drops[other])


def effect(grid: Grid, part: Slice, before: str | float, after: str | float) -> Effect:
    """What going from one value of the axis to another costs from each start."""
    settings = part.at(before), part.at(after)
    block = grid.block(part.pairs, settings)
    drops = {}
    for start in grid.starts:
        easier = grid.mean_by_seed(start, block.pairs, settings[0])
        harder = grid.mean_by_seed(start, block.pairs, settings[1])
        drops[start] = differences(easier, harder)
    return Effect(block, drops)


def slopes(grid: Grid, part: Slice) -> tuple[Block, dict[str, Estimate]]:
    """The change of accuracy per doubling of the axis' value by start, over the pairs of
    the block.
    """
    settings = [part.at(value) for value in part.values]
    block = grid.block(part.pairs, settings)
    doublings = [float(np.log2(float(value))) for value in part.values]
    found = {}
    for start in grid.starts:
        means = [grid.mean_by_seed(start, block.pairs, setting) for setting in settings]
        by_seed = effects.slope(doublings, means)
        if by_seed:
            found[start] = t_interval(by_seed.values())
    return block, found
