"""A mark a seed by start: two measures beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headstart.report.figures.axes import frame, percent_axis
from headstart.report.figures.rendering import INK, PAPER, label, style

BySeed = Mapping[int, float]


def losses_and_accuracies(
    figure: Any,
    wide: bool,
    starts: Sequence[str],
    losses: Mapping[str, BySeed],
    final: Mapping[str, BySeed],
    measure: str,
) -> None:
    """Draw the losses before training on the left, and final accuracies on the right.

    Args:
        figure: where to draw.
        wide: the layout.
        starts: in their order.
        losses: by start and seed.
        final: accuracies by start and seed; none where a run diverged.
        measure: what the accuracies were measured on, in words.
    """
    left, right = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
    frame(figure, 1.3 if wide else 0.95, 0.25, 0.12, 0.45, wspace=0.14, hspace=0.75)
    for axes, data, title in ((left, losses, "initial loss"), (right, final, f"final {measure}")):
        _rows(axes, wide, starts, data)
        axes.set_xlabel(title)
        axes.margins(x=0.08)
    percent_axis(right.xaxis)


def _rows(axes: Any, wide: bool, starts: Sequence[str], data: Mapping[str, BySeed]) -> None:
    """A row of marks for each start, by its name."""
    for y, start in enumerate(starts):
        _marks(axes, y, list(data.get(start, {}).values()), style(starts, start))
    names = [label(starts, start, 18 if wide else 13) for start in starts]
    axes.set_yticks(range(len(starts)), names, color=INK)
    axes.set_ylim(len(starts) - 0.45, -0.55)
    axes.grid(axis="x", visible=True)


def _marks(axes: Any, y: int, values: list[float], look: tuple[str, Any, str]) -> None:
    colour, _, marker = look
    if not values:
        beside = axes.get_yaxis_transform()
        axes.annotate("diverged", (0.02, y), xycoords=beside, color=colour, va="center")
        return
    face = {"color": colour, "mec": PAPER, "mew": 0.7}
    axes.plot(values, [y] * len(values), marker, ms=6, clip_on=False, zorder=3, **face)
    axes.plot([np.mean(values)] * 2, [y - 0.3, y + 0.3], color=colour, lw=2)


def metrics_by_start(
    figure: Any,
    wide: bool,
    starts: Sequence[str],
    metrics: Mapping[str, Mapping[str, BySeed]],
) -> None:
    """Draw metrics below one another, each with a scale of its own.

    Args:
        figure: where to draw.
        wide: the layout.
        starts: in their order.
        metrics: by metric, start and seed.
    """
    rows = figure.subplots(len(metrics), 1, squeeze=False)[:, 0]
    frame(figure, 1.3 if wide else 0.95, 0.25, 0.3, 0.3, hspace=1.1)
    for axes, (metric, by_start) in zip(rows, metrics.items(), strict=True):
        _rows(axes, wide, starts, by_start)
        axes.set_title(metric)
        axes.margins(x=0.08)
