"""Curves over rounds: accuracy pair by pair, or one pair metric by metric."""

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.looks.competitors import Pair
from headstart.report.figures.axes import (
    frame,
    label_below,
    legend,
    percent_axis,
    room_for_legend,
    seed_band,
    short,
    small_multiples,
)
from headstart.report.figures.rendering import MUTED, PAPER, style
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid


def accuracies(figure: Any, wide: bool, grid: Grid, pairs: Sequence[Pair], metric: str) -> None:
    """Draw a metric of accuracy over the rounds, a pair each, all starts in one.

    Args:
        figure: where to draw.
        wide: the layout.
        grid: the study's cells.
        pairs: which to draw, in their order.
        metric: what to draw.
    """
    columns = min(3 if wide else 2, len(pairs))
    seen = small_multiples(figure, len(pairs), columns, sharex=True, sharey=True)
    top = room_for_legend(wide, grid.starts)
    frame(figure, 0.5, 0.1, top, 0.42, hspace=0.34, wspace=0.12 if wide else 0.2)
    legend(figure, grid.starts, 0.5)
    for axes, pair in zip(seen, pairs, strict=True):
        for i, start in enumerate(grid.starts):
            colour, dash, _ = style(grid.starts, start)
            cell = grid.cell(start, pair)
            curves = list(grid.curves(cell, metric).values())
            seed_band(axes, curves, colour, dash, cell.diverged > 0)
            _say_diverged(axes, cell, colour, i)
        if grid.target is not None:
            axes.axhline(grid.target, color=MUTED, lw=0.9, ls=":")
        axes.set_title(short(grid.brief(pair), 34 if wide else 22))
        percent_axis(axes.yaxis)
        axes.margins(x=0.01)
    label_below(seen, columns, "round")


def _say_diverged(axes: Any, cell: Cell, colour: str, line: int) -> None:
    if cell.diverged:
        axes.text(
            0.97,
            0.05 + 0.12 * line,
            f"{cell.diverged} diverged",
            transform=axes.transAxes,
            color=colour,
            ha="right",
            fontsize=7.6,
            bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1.5},
        )


def metrics(figure: Any, wide: bool, grid: Grid, pair: Pair, names: Mapping[str, str]) -> None:
    """Draw the metrics of one pair over the rounds, all starts in one.

    Args:
        figure: where to draw.
        wide: the layout.
        grid: the study's cells.
        pair: which to draw.
        names: of the metrics, by what the records call them.
    """
    columns = 4 if wide else 2
    seen = small_multiples(figure, len(names), columns, sharex=True)
    frame(figure, 0.42, 0.08, room_for_legend(wide, grid.starts), 0.42, hspace=0.36, wspace=0.32)
    legend(figure, grid.starts, 0.42)
    for axes, metric in zip(seen, names, strict=True):
        for start in grid.starts:
            colour, dash, _ = style(grid.starts, start)
            cell = grid.cell(start, pair)
            curves = list(grid.curves(cell, metric).values())
            seed_band(axes, curves, colour, dash, cell.diverged > 0)
        axes.set_title(names[metric], fontsize=8.6 if wide else 8)
        axes.locator_params(axis="y", nbins=4)
        if metric.endswith("accuracy"):
            percent_axis(axes.yaxis)
    label_below(seen, columns, "round")
