"""Final accuracy over the number of local epochs, a pair each."""

from typing import Any

from headstart.looks.competitors import Pair
from headstart.report.figures.axes import (
    frame,
    label_below,
    legend,
    percent_axis,
    room_for_legend,
    short,
    small_multiples,
)
from headstart.report.figures.rendering import style
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid, Slice


def epochs(figure: Any, wide: bool, grid: Grid, part: Slice) -> None:
    """Draw the mean, and the range of the seeds, over the values of an axis of numbers."""
    pairs = part.pairs[: 9 if wide else 6]
    columns = min(3, len(pairs)) if wide else 1
    seen = small_multiples(figure, len(pairs), columns, sharey=True, sharex=True)
    frame(figure, 0.5, 0.15, room_for_legend(wide, grid.starts), 0.45, hspace=0.35, wspace=0.1)
    legend(figure, grid.starts, 0.5)
    for axes, pair in zip(seen, pairs, strict=True):
        for start in grid.starts:
            _line(axes, _cells(grid, start, pair, part), style(grid.starts, start))
        ticks = [float(value) for value in part.values]
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, list(map(str, part.values)))
        axes.minorticks_off()
        axes.margins(x=0.06, y=0.12)
        axes.set_title(short(grid.brief(pair), 40))
        percent_axis(axes.yaxis)
    label_below(seen, columns, "local epochs")


def _cells(grid: Grid, start: str, pair: Pair, part: Slice) -> dict[Any, Cell]:
    """The cells along the axis, by its value."""
    found = {}
    for value in part.values:
        cell = grid.cells.get((start, pair, part.at(value)))
        if cell is not None:
            found[value] = cell
    return found


def _line(axes: Any, cells: dict[Any, Cell], look: tuple[str, Any, str]) -> None:
    """Draw the means as a line with the seeds' range; a cross where a run diverged."""
    colour, dash, marker = look
    values, means, low, high = [], [], [], []
    for value, cell in cells.items():
        if cell.accuracy:
            values.append(value)
            means.append(cell.mean)
            low.append(min(cell.accuracy.values()))
            high.append(max(cell.accuracy.values()))
    axes.vlines(values, low, high, color=colour, lw=3.5, alpha=0.3)
    axes.plot(values, means, color=colour, ls=dash, marker=marker, ms=4.5)
    for value in cells.keys() - values:
        below = axes.get_xaxis_transform()
        axes.plot(value, 0.02, "x", color=colour, transform=below, clip_on=False)
        text = {"color": colour, "ha": "center", "fontsize": 7.6}
        axes.annotate("diverged", (value, 0.06), xycoords=below, **text)
