"""Rows of two connected marks by start, hollow before, filled after: wherever a panel compares two
conditions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.figures.axes import (
    before_and_after,
    frame,
    legend,
    percent_axis,
    room_for_legend,
    short,
)
from headstart.report.figures.rendering import GRID, INK, PAPER, hover, style
from headstart.report.words.numbers import percent


@dataclass(frozen=True)
class Dumbbell:
    """A row: its label, and its hollow and filled end by start; None where a run diverged."""

    label: str
    ends: Mapping[str, tuple[float | None, float | None]]

    def has_all(self) -> bool:
        """Whether no end is missing."""
        return not any(None in both for both in self.ends.values())


BELOW, ABOVE_MARKS = 0.45, -0.14
"""Inches of the axis below the marks, and what is taken off the legend's room above them."""


def heights(
    rows: Sequence[Dumbbell], starts: Sequence[str], ends: tuple[str, str]
) -> tuple[float, float]:
    """Inches of the wide and of the narrow figure: at least half of the usual room for the rows is
    left where the names of many starts take several lines above them.
    """
    of_rows = len(rows) * (0.13 + 0.13 * len(starts))
    found = []
    for wide in (True, False):
        around = _above(wide, starts, ends) + ABOVE_MARKS + BELOW
        found.append(max(0.95 + of_rows, around + of_rows / 2))
    return found[0], found[1]


def _above(wide: bool, starts: Sequence[str], ends: tuple[str, str]) -> float:
    """Inches of the legend."""
    return room_for_legend(wide, starts, _words(wide, starts, ends))


def _words(wide: bool, starts: Sequence[str], ends: tuple[str, str]) -> tuple[str, str]:
    """What the legend says of the hollow and of the filled mark."""
    limit = 40 if wide and len(starts) < 3 else 20
    return short(ends[0], limit), short(ends[1], limit)


def dumbbells(
    figure: Any,
    wide: bool,
    starts: Sequence[str],
    rows: Sequence[Dumbbell],
    ends: tuple[str, str],
    label: str,
) -> None:
    """Draw the rows below one another.

    Args:
        figure: where to draw.
        wide: the layout.
        starts: in their order.
        rows: from top to bottom.
        ends: what the hollow and the filled mark stand for.
        label: of the x axis.
    """
    axes = figure.add_subplot()
    left = 1.75 if wide else 1.45
    frame(figure, left, 0.25, _above(wide, starts, ends) + ABOVE_MARKS, BELOW)
    marks = before_and_after(*_words(wide, starts, ends))
    legend(figure, starts, left if wide else 0.1, marks)
    step = 0.62 / max(1, len(starts))
    for y, row in enumerate(rows):
        axes.axhline(y + 0.5, color=GRID, lw=0.6)
        for i, start in enumerate(starts):
            place = y + (i - (len(starts) - 1) / 2) * step
            _dumbbell(axes, place, row.ends[start], style(starts, start), ends)
    if not all(row.has_all() for row in rows):
        low, high = axes.get_xlim()  # room for what says so
        axes.set_xlim(low - (0.12 if wide else 0.5) * (high - low), high)
    names = [short(row.label, 26 if wide else 20) for row in rows]
    axes.set_yticks(range(len(rows)), names, color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(label)
    percent_axis(axes.xaxis)


def _dumbbell(
    axes: Any,
    place: float,
    both: tuple[float | None, float | None],
    look: tuple[str, Any, str],
    ends: tuple[str, str],
) -> None:
    """Draw two marks with a line between them; a word where one is missing.

    Args:
        axes: where to draw.
        place: y of the marks.
        both: the hollow and the filled end.
        look: colour, dash and marker of the start.
        ends: what the two ends stand for.
    """
    (before, after), (colour, _, marker) = both, look
    if before is not None and after is not None:
        axes.plot([before, after], [place, place], color=colour, lw=1.4, alpha=0.7, zorder=2)
    if before is not None:
        look_before = {"color": colour, "mfc": PAPER, "mew": 1.2}
        (mark,) = axes.plot(before, place, marker, ms=5, zorder=3, **look_before)
        hover(mark, f"{ends[0]}: {percent(before)}")
    if after is not None:
        (mark,) = axes.plot(after, place, marker, ms=5, color=colour, zorder=4)
        hover(mark, f"{ends[1]}: {percent(after)}")
    if before is None or after is None:
        axes.annotate(
            f"{ends[after is None]} diverged",
            (0.005, place),
            xycoords=axes.get_yaxis_transform(),
            color=colour,
            va="center",
            fontsize=7.4,
        )
