"""The sentence and the table of one step along an axis: partitions, devices, local epochs."""

from typing import Any

from headstart.report.measures.step_costs import Effect
from headstart.report.panels.base import Answer, apart, judge
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Block, Grid, Slice
from headstart.report.words.methods import method
from headstart.report.words.numbers import OF_CHANGES, points
from headstart.report.words.remarks import DIVERGED, SHORT, left_out
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, negated, t_interval, within
from headstart.wording.phrases import count

PERCENT = ("accuracy", "low", "high")


def told(grid: Grid, found: Effect, what: str) -> Answer:
    """The answer for one effect: what it costs, and whether it costs less from the other start.

    `what` names the step, such as "going from iid to dirichlet(alpha=0.1)".
    """
    pairs = found.block.pairs
    if not pairs:
        lost = count(found.block.diverged, "pair")
        return Answer("undecided", f"each of {lost} has a diverged run: nothing to compare")
    over = f"mean over {count(len(pairs), 'pair')}" if len(pairs) != 1 else method(pairs[0])
    over = ", ".join(filter(None, [over, left_out_of(found.block)]))
    between = grid.between
    if not all(found.drops[start] for start in between or grid.starts):
        return Answer("undecided", f"no seed was run on both sides of {what}: nothing to compare")
    changes = [f"{points(negated(found.drop(s)))} from {s}" for s in between or grid.starts]
    if between is None:
        return Answer(None, f"{what} changes accuracy by {changes[0]}, the only start ({over})")
    saved = found.saved(*between)
    if saved is None:
        return Answer("undecided", apart(*between))
    said = f"{what} changes accuracy by {changes[0]} and by {changes[1]}"
    sentence = f"{said}; difference {points(saved, OF_CHANGES)} ({over})"
    return Answer(judge(saved), sentence, points(saved, OF_CHANGES), saved)


def left_out_of(block: Block) -> str:
    """How many pairs a block left out, in words; empty where it left out none."""
    return left_out((block.diverged, DIVERGED), (block.short, SHORT))


def table(grid: Grid, part: Slice, slug: str, caption: str) -> Table:
    """A row for each start x pair x value of the axis: mean, interval, seeds, diverged runs."""
    axis = part.axis.replace("_", " ")
    rows = Rows("start", "pair", "method", axis, *PERCENT, "seeds", "diverged runs")
    for pair in part.pairs:
        for start in grid.starts:
            for value in part.values:
                cell = grid.cells.get((start, pair, part.at(value)))
                if cell is not None:
                    mean = ends(accuracy(cell))
                    rows.add(
                        start, str(pair), method(pair), value, *mean, len(cell.runs), cell.diverged
                    )
    return rows.table(slug, caption, *PERCENT)


def accuracy(cell: Cell) -> Estimate | None:
    """The mean accuracy of a cell; None where a run diverged."""
    return within(t_interval(cell.accuracy.values()), 0.0, 1.0) if cell.accuracy else None


def ends(e: Estimate | None) -> tuple[Any, Any, Any]:
    """Value, low and high of an estimate, for the cells of a table."""
    return (e.value, e.low, e.high) if e else (None, None, None)
