"""Finding 4: uneven devices, what they cost and how far they spread the pairs, by start."""

from typing import Any

from headstart.looks.competitors import DEFAULT_DEVICES, Pair
from headstart.report.figures.dumbbells import Dumbbell, dumbbells, heights
from headstart.report.measures import spread
from headstart.report.measures.step_costs import effect
from headstart.report.panels.base import Answer, Missing, Panel, judge
from headstart.report.panels.steps import left_out_of, table, told
from headstart.report.runs.grid import Grid, Slice
from headstart.report.words.methods import method
from headstart.report.words.numbers import OF_CHANGES, points
from headstart.report.words.remarks import in_brackets
from headstart.statistics.spreads import Apart
from headstart.wording.phrases import listed, some

SLUG = "devices"


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing with one setting of devices."""
    heading = "What do uneven devices cost?"
    if grid.between:
        heading = f"Do uneven devices matter less from {grid.between[1]}?"
    part = grid.varied("devices")
    if part is None:
        need = "runs in two or more settings of devices with all else equal"
        return Missing(SLUG, heading, need)
    even = str(DEFAULT_DEVICES if DEFAULT_DEVICES in part.values else part.values[0])
    uneven = str(next(value for value in part.values if value != even))
    step = f"using {uneven} instead of {even} devices"
    found = told(grid, effect(grid, part, even, uneven), step)
    closer = lies_closer(grid, part, even, uneven)
    rows = drawn(grid, part, even, uneven)
    ends = even, uneven
    return Panel(
        SLUG,
        heading,
        Answer(
            closer.says or found.says,
            f"{closer.sentence}{found.sentence}.",
            closer.difference or found.difference,
            closer.judged if closer.says else found.judged,
        ),
        f"Final {grid.measure}, mean over seeds: hollow marks for {even} devices, filled for "
        f"{uneven}. Judged is the spread on uneven devices, as in the paper: do the pairs lie "
        "closer together? That they may do so on equal devices too is not taken off.",
        lambda figure, wide: dumbbells(figure, wide, grid.starts, rows, ends, grid.measure),
        heights(rows, grid.starts, ends),
        f"{some(list(map(method, part.pairs)))}, devices {listed(part.values)}",
        (table(grid, part, SLUG, "Accuracy by devices"),),
    )


def lies_closer(grid: Grid, part: Slice, even: str, uneven: str) -> Answer:
    """Whether the pairs lie closer together on uneven devices from the other start.

    Beside it stands how much of that difference is there on even devices too.
    """
    between = grid.between
    found = spread.spread(grid, between, part.pairs, part.at(uneven)) if between else None
    if between is None or found is None:
        return Answer(None, "")
    closer = found.apart.difference
    pairs = f"{len(found.block.pairs)} pairs{in_brackets(left_out_of(found.block))}"
    return Answer(
        judge(closer),
        f"the standard deviation between {pairs}, without what seeds do to each, is "
        f"{told_of(found.apart, between)}, difference {points(closer)}; "
        + beside(grid, part, found, even, uneven),
        points(closer),
        closer,
    )


def told_of(apart: Apart, between: tuple[str, str]) -> str:
    """How far pairs lie apart from both starts."""
    first, second = 100 * apart.first, 100 * apart.second
    return f"{first:.1f} points from {between[0]} and {second:.1f} from {between[1]}"


def beside(grid: Grid, part: Slice, found: spread.Spread, even: str, uneven: str) -> str:
    """The spread on even devices, and by how much the starts differ more on uneven ones.

    Args:
        grid: the study's cells.
        part: along the axis of devices.
        found: the spread on uneven devices.
        even: the name of even devices.
        uneven: the name of uneven devices.
    """
    assert grid.between is not None
    pairs = found.block.pairs
    on_even = spread.beside(grid, grid.between, pairs, part.at(uneven), part.at(even))
    if on_even is None:
        return ""
    over = "" if len(on_even.pairs) == len(pairs) else f", over {len(on_even.pairs)} pairs,"
    return (
        f"on {even} devices{over} it is {told_of(on_even.apart, grid.between)}, difference "
        f"{points(on_even.apart.difference)}, so that uneven devices change the difference by "
        f"{points(on_even.more, OF_CHANGES)}; "
    )


def drawn(grid: Grid, part: Slice, even: str, uneven: str) -> list[Dumbbell]:
    """A row a pair, in the order of the last start's accuracy on uneven devices."""

    def end(start: str, pair: Pair, value: str) -> float | None:
        cell = grid.cells.get((start, pair, part.at(value)))
        return cell.mean if cell and cell.accuracy else None

    rows = []
    for pair in part.pairs:
        ends: dict[str, tuple[Any, Any]] = {}
        for start in grid.starts:
            ends[start] = end(start, pair, even), end(start, pair, uneven)
        rows.append(Dumbbell(grid.brief(pair), ends))
    return sorted(rows, key=lambda row: -(row.ends[grid.starts[-1]][1] or 0))
