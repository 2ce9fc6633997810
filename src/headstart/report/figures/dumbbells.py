"""Rows of two connected marks by start: hollow before, filled after. Used wherever a panel compares two conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.figures.axes import frame, legend, percent_axis, short
from headstart.report.figures.rendering import GRID, INK, MUTED, PAPER, style


@dataclass(frozen=True)
class Row:
    label: str
    ends: Mapping[str, tuple[float | None, float | None]]  # start -> (hollow, filled); None: diverged


def height(rows: Sequence[Row], starts: Sequence[str]) -> float:
    return 0.95 + len(rows) * (0.13 + 0.13 * len(starts))


def dumbbells(
    figure: Any, wide: bool, starts: Sequence[str], rows: Sequence[Row], ends: tuple[str, str], label: str
) -> None:
    """`ends` names what the hollow and the filled mark stand for."""
    from matplotlib.lines import Line2D

    axes = figure.add_subplot()
    left = 1.75 if wide else 1.45
    frame(figure, left, 0.25, 0.35 if wide else 0.55, 0.45)
    marks = [
        (
            Line2D([], [], ls="none", marker="o", ms=5, color=MUTED, mfc=face, mew=1.2),
            short(name, 40 if wide and len(starts) < 3 else 20),
        )
        for face, name in zip((PAPER, MUTED), ends, strict=True)
    ]
    legend(figure, starts, left if wide else 0.1, marks)
    step = 0.62 / max(1, len(starts))
    for y, row in enumerate(rows):
        axes.axhline(y + 0.5, color=GRID, lw=0.6)
        for i, start in enumerate(starts):
            colour, _, marker = style(starts, start)
            place = y + (i - (len(starts) - 1) / 2) * step
            before, after = row.ends[start]
            if before is not None and after is not None:
                axes.plot([before, after], [place, place], color=colour, lw=1.4, alpha=0.7, zorder=2)
            if before is not None:
                axes.plot(before, place, marker, ms=5, color=colour, mfc=PAPER, mew=1.2, zorder=3)
            if after is not None:
                axes.plot(after, place, marker, ms=5, color=colour, zorder=4)
            if before is None or after is None:
                axes.annotate(
                    f"{ends[after is None]} diverged", (0.005, place), xycoords=axes.get_yaxis_transform(),
                    color=colour, va="center", fontsize=7.4,
                )  # fmt: skip
    if any(end is None for row in rows for both in row.ends.values() for end in both):
        low, high = axes.get_xlim()  # room for what says so
        axes.set_xlim(low - (0.12 if wide else 0.5) * (high - low), high)
    axes.set_yticks(range(len(rows)), [short(row.label, 26 if wide else 20) for row in rows], color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(label)
    percent_axis(axes.xaxis)
