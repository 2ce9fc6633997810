"""How far the pairs lie apart on uneven devices, by start, and how far on even ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.looks.competitors import Pair, Setting
from headstart.report.runs.grid import Block, Grid
from headstart.statistics.intervals import Estimate, paired_difference
from headstart.statistics.spreads import Apart, apart


@dataclass(frozen=True)
class Spread:
    """How far the pairs of a block lie apart on uneven devices, from two starts."""

    block: Block
    apart: Apart


@dataclass(frozen=True)
class Beside:
    """The same on even devices, and by how much the starts differ more on uneven ones."""

    pairs: tuple[Pair, ...]
    apart: Apart
    more: Estimate


def spread(
    grid: Grid, between: tuple[str, str], pairs: Sequence[Pair], uneven: Setting
) -> Spread | None:
    """The spread on uneven devices; None with fewer than three pairs or two common seeds."""
    block = grid.block(pairs, [uneven])
    found = _of_both(grid, between, block.pairs, uneven)
    return None if found is None else Spread(block, found)


def beside(
    grid: Grid,
    between: tuple[str, str],
    pairs: Sequence[Pair],
    uneven: Setting,
    even: Setting,
) -> Beside | None:
    """The spread on even devices: a difference of differences over the pairs that have both.

    Args:
        grid: the study's cells.
        between: the two starts.
        pairs: those whose spread on uneven devices is known.
        uneven: the setting of uneven devices.
        even: the setting of even devices.
    """
    ran = grid.everywhere(pairs, [even])
    both = []
    for pair in grid.together(ran, [uneven, even]):
        if all(grid.cell(start, pair, even).accuracy for start in between):
            both.append(pair)
    on_uneven = _of_both(grid, between, both, uneven)
    on_even = _of_both(grid, between, both, even)
    if on_uneven is None or on_even is None:
        return None
    more = paired_difference(on_uneven.by_seed, on_even.by_seed)
    return None if more is None else Beside(tuple(both), on_even, more)


def _of_both(
    grid: Grid, between: tuple[str, str], pairs: Sequence[Pair], setting: Setting
) -> Apart | None:
    """How far pairs lie apart, from one start and from the other."""
    cells = []
    for start in between:
        cells.append([grid.cell(start, pair, setting).accuracy for pair in pairs])
    return apart(*cells)
