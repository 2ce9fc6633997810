"""What several figures share: margins, the legend of the starts, labels that do not collide, bands
over seeds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.report.figures.rendering import MUTED, PAPER, WIDTHS, Draw, drawn, label, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def frame(
    figure: "Figure", left: float, right: float, top: float, bottom: float, **spaces: float
) -> None:
    """Set margins in inches, whatever the size of the figure.

    Args:
        figure: what to arrange.
        left: inches.
        right: inches.
        top: inches.
        bottom: inches.
        spaces: `wspace` and `hspace` between axes, in their own sizes.
    """
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left / width, bottom / height, 1 - right / width, 1 - top / height, **spaces
    )


def legend(
    figure: "Figure", starts: Sequence[str], left: float, extra: Sequence[tuple[Any, str]] = ()
) -> None:
    """Draw above the panels each start with its own dash and marker, as many in a row as fit."""
    from matplotlib.lines import Line2D

    handles: list[Any] = []
    for start in starts:
        colour, dash, marker = style(starts, start)
        handles.append(
            Line2D([], [], color=colour, ls=dash, marker=marker, ms=4.5, label=label(starts, start))
        )
    labels = [label(starts, start) for start in starts]
    for handle, text in extra:
        handles.append(handle)
        labels.append(text)
    width, height = figure.get_size_inches()
    columns = columns_of_legend(labels, width - left)
    figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(left / width, 1 - 0.02 / height),
        ncols=columns,
        frameon=False,
        borderpad=0,
        handlelength=2.6,
        columnspacing=1.6,
        borderaxespad=0,
        fontsize=8.6,
    )


def small_multiples(figure: "Figure", n: int, columns: int, **shared: Any) -> "list[Axes]":
    """Axes in rows of so many `columns`, of which the first `n` are seen; the last of each column
    is labelled.
    """
    everything = list(figure.subplots(-(-n // columns), columns, squeeze=False, **shared).flat)
    for axes in everything[n:]:
        axes.set_visible(False)
    for axes in everything[max(0, n - columns) : n]:
        axes.tick_params(labelbottom=True)
    return everything[:n]


def label_below(seen: "Sequence[Axes]", columns: int, text: str) -> None:
    """Label the x axis of the last of small multiples in each column."""
    for axes in seen[max(0, len(seen) - columns) :]:
        axes.set_xlabel(text)


HANDLE, LETTER, LINE = 0.62, 0.067, 0.18
"""Inches of a legend: of the line before a name and the gap behind it, of a letter, of a row."""


def columns_of_legend(labels: Sequence[str], width: float) -> int:
    """How many entries of a legend fit beside each other in so many inches."""
    longest = max(map(len, labels), default=0)
    return max(1, min(len(labels), int(width / (HANDLE + LETTER * longest))))


def room_for_legend(wide: bool, starts: Sequence[str], extra: Sequence[str] = ()) -> float:
    """Inches above the figure that the legend of the starts and of some more entries takes."""
    labels = [*(label(starts, start) for start in starts), *extra]
    rows = -(-len(labels) // columns_of_legend(labels, WIDTHS[wide] - 0.5))
    return 0.32 + LINE * rows


def percent_axis(axis: Any) -> None:
    """Make an axis one of accuracies."""
    axis.set_major_formatter(_percent)


def _percent(value: float, _: int | None) -> str:
    return f"{100 * value:.4g}%"


def on_common_axes(draws: Sequence[tuple[Draw, float]]) -> list[Draw]:
    """The same narrow drawings (each with its height), with the accuracies of all of them on one
    scale.
    """
    ends: list[float] = []
    free = True  # a drawing that sets its own limits needs no margin
    for draw, height in draws:
        with drawn(draw, height, wide=False) as figure:
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


def before_and_after(before: str, after: str) -> list[tuple[Any, str]]:
    """Entries of a legend for hollow and filled marks."""
    from matplotlib.lines import Line2D

    entries = []
    for face, text in ((PAPER, before), (MUTED, after)):
        mark = Line2D([], [], ls="none", marker="o", ms=5, color=MUTED, mfc=face, mew=1.2)
        entries.append((mark, text))
    return entries


def accuracy_axes(figure: "Figure") -> list[Any]:
    """Return the axes of a figure that show accuracies."""
    found = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            is_percent = getattr(axis.get_major_formatter(), "func", None) is _percent
            if axes.get_visible() and is_percent:
                found.append(axis)
    return found


def spread_labels(
    wanted: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf
) -> list[float]:
    """Positions nearest to `wanted` (least squares) that keep their order, `gap` apart, in bounds.

    Isotonic regression of `wanted - rank * gap` by pooling adjacent violators; bounds clip its
    result.

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
    flat: list[float] = []
    for total, size in blocks:
        flat += [total / size] * int(size)
    highest = max(low, high - (len(flat) - 1) * gap)
    placed = [0.0] * len(flat)
    for rank, i in enumerate(order):
        placed[i] = float(np.clip(flat[rank], low, highest)) + rank * gap
    return placed


def short(name: str, limit: int) -> str:
    """The name, cut where it is longer than the limit."""
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"


def common_rounds(curves: Sequence[tuple[Any, Any]]) -> np.ndarray[Any, Any]:
    """The rounds that all curves have, in order."""
    if not curves:
        return np.array([])
    return np.array(sorted(set.intersection(*[set(rounds.tolist()) for rounds, _ in curves])))


SEEDS_APART = " Where a seed diverged, each is drawn on its own, with a cross where it ended."
"""Of a caption whose figure has such a band: a mean over those that are left would flatter."""


def seed_band(
    axes: "Axes",
    curves: Sequence[tuple[Any, Any]],
    colour: str,
    dash: Any,
    is_apart: bool = False,
) -> None:
    """Draw the mean over seeds, and the range of the seeds as a band.

    Args:
        axes: where to draw.
        curves: rounds and values of each seed.
        colour: of line and band.
        dash: of the line.
        is_apart: whether each seed is drawn as a line of its own instead.
    """
    if is_apart:
        longest = max((len(rounds) for rounds, _ in curves), default=0)
        for rounds, values in curves:
            axes.plot(rounds, values, color=colour, ls=dash, lw=1)
            if len(rounds) < longest:
                axes.plot(rounds[-1:], values[-1:], "x", color=colour, ms=6, mew=1.6)
        return
    rounds = common_rounds(curves)
    if not len(rounds):
        return
    values = np.array([v[np.searchsorted(r, rounds)] for r, v in curves])
    if len(curves) > 1:
        axes.fill_between(
            rounds, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.16, lw=0
        )
    axes.plot(rounds, values.mean(axis=0), color=colour, ls=dash)
