"""How far the pairs lie apart on uneven devices, by start, and how far on even ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.looks.competitors import Pair, Setting
from headstart.report.runs.grid import Block, Grid
from headstart.statistics import effects
from headstart.statistics.intervals import Estimate, difference_of_differences, paired_difference


@dataclass(frozen=True)
class Spread:
    """The standard deviation between pairs by seed from two starts, and its difference.

    `p`: of both being equal (Pitman and Morgan); None where there is no test.
    """

    block: Block
    by_start: tuple[dict[int, float], dict[int, float]]
    closer: Estimate
    p: float | None


@dataclass(frozen=True)
class Beside:
    """The spread on even devices, and by how much the starts differ more on uneven ones."""

    pairs: tuple[Pair, ...]
    by_start: tuple[dict[int, float], dict[int, float]]
    difference: Estimate | None
    more: Estimate


def spread(
    grid: Grid, between: tuple[str, str], pairs: Sequence[Pair], uneven: Setting
) -> Spread | None:
    """The spread on uneven devices; None with fewer than two pairs or no common seed."""
    block = grid.block(pairs, [uneven])
    if len(block.pairs) < 2:
        return None
    by_start = _of_both(grid, between, block.pairs, uneven)
    closer = paired_difference(*by_start)
    if closer is None:
        return None
    means = []
    for start in between:
        means.append([grid.cell(start, pair, uneven).mean for pair in block.pairs])
    return Spread(block, by_start, closer, effects.equal_spread(means[0], means[1]))


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
    more = difference_of_differences(*on_uneven, *on_even)
    if more is None:
        return None
    return Beside(tuple(both), on_even, paired_difference(*on_even), more)


def _of_both(
    grid: Grid, between: tuple[str, str], pairs: Sequence[Pair], setting: Setting
) -> tuple[dict[int, float], dict[int, float]]:
    """The standard deviation between pairs by seed, from one start and from the other."""
    first, second = between
    return _of(grid, first, pairs, setting), _of(grid, second, pairs, setting)


def _of(grid: Grid, start: str, pairs: Sequence[Pair], setting: Setting) -> dict[int, float]:
    return effects.spread([grid.cell(start, pair, setting).accuracy for pair in pairs])
