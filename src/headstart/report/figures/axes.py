"""What several figures share: margins, the legend of the starts, labels that do not collide, bands over seeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.report.figures.rendering import Draw, drawn, label, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def frame(figure: "Figure", left: float, right: float, top: float, bottom: float, **spaces: float) -> None:
    """Margins in inches, whatever the size of the figure."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, **spaces)


def legend(figure: "Figure", starts: Sequence[str], left: float, extra: Sequence[tuple[Any, str]] = ()) -> None:
    """One line above the panels: each start with its own dash and marker."""
    from matplotlib.lines import Line2D

    handles: list[Any] = []
    for start in starts:
        colour, dash, marker = style(starts, start)
        handles.append(Line2D([], [], color=colour, ls=dash, marker=marker, ms=4.5, label=label(starts, start)))
    handles += [handle for handle, _ in extra]
    labels = [label(starts, start) for start in starts] + [label for _, label in extra]
    width, height = figure.get_size_inches()
    columns = len(labels) if width > 5 else min(2, len(labels))
    figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(left / width, 1 - 0.02 / height), ncols=columns,
        frameon=False, borderpad=0, handlelength=2.6, columnspacing=1.6, borderaxespad=0, fontsize=8.6,
    )  # fmt: skip


def percent_axis(axis: Any) -> None:
    """An axis of accuracies."""
    axis.set_major_formatter(_percent)


def _percent(value: float, _: int | None) -> str:
    return f"{100 * value:.4g}%"


def on_common_axes(draws: Sequence[tuple[Draw, float]], wide: bool) -> list[Draw]:
    """The same drawings (each with its height), with the accuracies of all of them on one scale."""
    ends: list[float] = []
    free = True  # a drawing that sets its own limits needs no margin
    for draw, height in draws:
        with drawn(draw, height, wide) as figure:
            for axis in accuracy_axes(figure):
                ends += axis.get_view_interval().tolist()
                free = free and getattr(axis.axes, f"get_autoscale{axis.axis_name}_on")()
    margin = 0.03 * (max(ends) - min(ends)) if ends and free else 0.0

    def rescaled(draw: Draw) -> Draw:
        def again(figure: "Figure", wide: bool) -> None:
            draw(figure, wide)
            for axis in accuracy_axes(figure):
                axis.axes.set(**{f"{axis.axis_name}lim": (min(ends) - margin, max(ends) + margin)})

        return again

    return [rescaled(draw) for draw, _ in draws]


def accuracy_axes(figure: "Figure") -> list[Any]:
    """The axes of a figure that show accuracies."""
    shown = [axis for axes in figure.axes if axes.get_visible() for axis in (axes.xaxis, axes.yaxis)]
    return [axis for axis in shown if getattr(axis.get_major_formatter(), "func", None) is _percent]


def spread_labels(wanted: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """Positions nearest to `wanted` (least squares) that keep their order and stand at least `gap` apart, in bounds.

    Isotonic regression of `wanted - rank * gap` by pooling adjacent violators; bounds clip its result.

    >>> spread_labels([0.0, 0.1, 5.0], 1.0)
    [-0.45, 0.55, 5.0]
    >>> spread_labels([0.0, 0.1, 5.0], 1.0, low=0)
    [0.0, 1.0, 5.0]
    """
    order = np.argsort(wanted, kind="stable")
    blocks: list[list[float]] = []  # [sum, size]
    for rank, i in enumerate(order):
        blocks.append([wanted[i] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, size = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += size
    flat = [total / size for total, size in blocks for _ in range(int(size))]
    flat = [float(np.clip(value, low, max(low, high - (len(flat) - 1) * gap))) for value in flat]
    placed = [0.0] * len(flat)
    for rank, i in enumerate(order):
        placed[i] = flat[rank] + rank * gap
    return placed


def short(name: str, limit: int) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"


SEEDS_APART = " Where a seed diverged, each is drawn on its own, with a cross where it ended."
"""Of a caption whose figure has such a band: a mean over those that are left would flatter."""


def seed_band(axes: "Axes", curves: Sequence[tuple[Any, Any]], colour: str, dash: Any, is_apart: bool = False) -> None:
    """The mean over seeds, and the range of the seeds as a band; or apart, a line a seed."""
    if is_apart:
        longest = max((len(rounds) for rounds, _ in curves), default=0)
        for rounds, values in curves:
            axes.plot(rounds, values, color=colour, ls=dash, lw=1)
            if len(rounds) < longest:
                axes.plot(rounds[-1:], values[-1:], "x", color=colour, ms=6, mew=1.6)
        return
    rounds = np.array(sorted(set.intersection(*(set(r.tolist()) for r, _ in curves)))) if curves else np.array([])
    if not len(rounds):
        return
    values = np.array([v[np.searchsorted(r, rounds)] for r, v in curves])
    if len(curves) > 1:
        axes.fill_between(rounds, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.16, lw=0)
    axes.plot(rounds, values.mean(axis=0), color=colour, ls=dash)
