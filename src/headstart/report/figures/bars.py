"""Bars of final accuracy by partition and start, a pair each."""

from typing import Any

import numpy as np

from headstart.report.figures.axes import (
    frame,
    legend,
    percent_axis,
    room_for_legend,
    short,
    small_multiples,
)
from headstart.report.figures.rendering import INK, MUTED, PAPER, hover, style
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid, Slice
from headstart.report.words.numbers import percent

NUMBER = 0.28
"""Inches that a number above a bar takes; where bars are narrower it is shown on hover alone."""


def bars(figure: Any, wide: bool, grid: Grid, part: Slice, first: str) -> None:
    """Draw means as bars and seeds as dots.

    Args:
        figure: where to draw.
        wide: the layout.
        grid: the study's cells.
        part: along which axis.
        first: the value that stands on the left.
    """
    pairs = part.pairs[: 9 if wide else 6]
    columns = min(3, len(pairs)) if wide else 1
    seen = small_multiples(figure, len(pairs), columns, sharey=True)
    frame(figure, 0.5, 0.1, room_for_legend(wide, grid.starts), 0.3, hspace=0.45, wspace=0.12)
    legend(figure, grid.starts, 0.5)
    values = [first, *(value for value in part.values if value != first)]
    width = 0.8 / len(grid.starts)
    inches = (figure.get_size_inches()[0] - 0.6) / columns / (len(values) + 0.1) * width
    for axes, pair in zip(seen, pairs, strict=True):
        for i, start in enumerate(grid.starts):
            look = style(grid.starts, start)
            for x, value in enumerate(values):
                cell = grid.cells.get((start, pair, part.at(value)))
                place = x + (i - (len(grid.starts) - 1) / 2) * width
                if cell is not None:
                    _bar(axes, cell, place, width, look)
                    if cell.accuracy and inches >= NUMBER:
                        _number(axes, cell, place)
        axes.set_title(short(grid.brief(pair), 40), color=MUTED if len(pairs) == 1 else INK)
        room = 24 if wide else 20 if len(values) < 3 else 18
        names = [short(str(value), room) for value in values]
        axes.set_xticks(range(len(values)), names, color=INK)
        axes.set_xlim(-0.55, len(values) - 0.45)  # also where the last bar is one that diverged
        axes.set_ylim(0, 1.1)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
        percent_axis(axes.yaxis)


def _bar(axes: Any, cell: Cell, place: float, width: float, look: tuple[str, Any, str]) -> None:
    """Draw the bar of one cell, with a dot a seed; a word where a run diverged.

    Args:
        axes: where to draw.
        cell: what to draw.
        place: x of its middle.
        width: of the bar.
        look: colour, dash and marker of its start.
    """
    colour, _, marker = look
    if not cell.accuracy:
        axes.text(place, 0.01, "diverged", rotation=90, ha="center", va="bottom", color=colour)
        return
    seeds = list(cell.accuracy.values())
    axes.bar(place, cell.mean, width * 0.86, color=colour, alpha=0.28, lw=0)
    mean = axes.hlines(cell.mean, place - width * 0.43, place + width * 0.43, color=colour, lw=2)
    dots = np.linspace(-0.16, 0.16, len(seeds)) * width + place
    axes.plot(dots, seeds, marker, ms=4, color=colour, mec=PAPER, mew=0.6)
    hover(mean, f"{cell.start}: {percent(cell.mean)}")


def _number(axes: Any, cell: Cell, place: float) -> None:
    """Write the mean of a cell above its seeds."""
    axes.annotate(
        f"{100 * cell.mean:.1f}",
        (place, max(cell.accuracy.values())),
        (0, 5),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=INK,
        fontsize=8,
    )
