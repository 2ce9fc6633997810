"""The best pair of each start on one scale: the picture beside the verdict, and its table."""

from dataclasses import dataclass

from headstart.report.figures.by_start.intervals import (
    BestOfStart,
    heights,
    intervals_by_start,
    shown_lines,
)
from headstart.report.figures.rendering import Draw, label
from headstart.report.measures import baselines
from headstart.report.panels.steps import accuracy, ends
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent
from headstart.report.words.table import Rows, Table
from headstart.statistics.effects import mean
from headstart.wording.phrases import listed

SLUG = "starts"


@dataclass(frozen=True)
class Picture:
    """A figure that answers no question by itself; `heights`: in inches, wide and narrow."""

    slug: str
    heading: str
    caption: str
    draw: Draw
    heights: tuple[float, float]
    tables: tuple[Table, ...]


def picture(grid: Grid) -> Picture | None:
    """The best pair of each start; None where no accuracy was measured."""
    bests = [best_of(grid, start) for start in grid.starts]
    if all(best.accuracy is None for best in bests):
        return None
    constant = baselines.constant_accuracy(grid)
    return Picture(
        slug=SLUG,
        heading="The best pair of each start",
        caption=caption(grid, bests, constant),
        draw=lambda figure, wide: intervals_by_start(figure, wide, bests, constant, grid.measure),
        heights=heights(bests),
        tables=(table(grid, bests),),
    )


def best_of(grid: Grid, start: str) -> BestOfStart:
    """The best pair of a start, with its interval over seeds."""
    cell, untrained = grid.best(start), mean(baselines.untrained_accuracy(grid, start))
    if cell is None:
        return BestOfStart(start, "", "", None, None, None, untrained)
    value, low, high = ends(accuracy(cell))
    return BestOfStart(start, method(cell.pair), grid.brief(cell.pair), value, low, high, untrained)


def caption(grid: Grid, bests: list[BestOfStart], constant: float | None) -> str:
    """What the marks are, and which lines lie outside of the picture."""
    shown = shown_lines(bests, constant)
    near: list[str] = []
    far: list[str] = []
    outside: list[float] = []
    if constant is not None:
        (near if constant in shown else far).append(f"the constant answer ({percent(constant)})")
    for best in bests:
        if best.untrained is None:
            continue
        if best.untrained in shown:
            name = label(grid.starts, best.start)
            near.append(f"{name} before training ({percent(best.untrained)})")
        else:
            outside.append(best.untrained)
    if outside:
        far.append(f"starts before training ({_from_to(outside)})")
    said = [
        f"Final {grid.measure} with the best pair of each start: the mean, and its 95% interval "
        "over seeds."
    ]
    if len(bests) > 1:
        said.append("Starts are compared seed by seed: intervals may overlap where one is ahead.")
    if near:
        said.append(f"Thin lines: {listed(near)}.")
    if far:
        said.append(f"Outside of the picture: {listed(far)}.")
    return " ".join(said)


def _from_to(shares: list[float]) -> str:
    """Write the least and the largest of several shares.

    >>> _from_to([0.6, 0.1, 0.3]), _from_to([0.6])
    ('10.0% to 60.0%', '60.0%')
    """
    return " to ".join(dict.fromkeys((percent(min(shares)), percent(max(shares)))))


def table(grid: Grid, bests: list[BestOfStart]) -> Table:
    """A row a start."""
    rows = Rows("start", "pair", "method", "accuracy", "low", "high", "before training", "seeds")
    for best in bests:
        cell = grid.best(best.start)
        pair, seeds = (str(cell.pair), len(cell.runs)) if cell else ("", 0)
        found = best.accuracy, best.low, best.high, best.untrained
        rows.add(best.start, pair, best.method or "diverged", *found, seeds)
    shares = "accuracy", "low", "high", "before training"
    return rows.table(SLUG, "The best pair of each start", *shares)
