"""A row for each start: a mark with its interval, all on one scale, and thin lines to hold it
against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.figures.axes import frame, percent_axis, short
from headstart.report.figures.rendering import INK, MUTED, PAPER, hover, label, style
from headstart.report.words.numbers import percent

FURTHEST = 2.0
"""Widths of what is shown by which a thin line may lie beside it: further away it would squeeze
all intervals to dots, and the caption says where it lies.
"""
ROW, TALL_ROW = 0.46, 0.6
"""Inches of a row, and of one with a line more."""

NAME, ROOM = 16, 30
"""Letters of a start, and of it with its pair, that stand in one line of the narrow layout."""


@dataclass(frozen=True)
class BestOfStart:
    """The best pair of a start.

    Attributes:
        start: by its name in the study.
        method: what the pair is called; empty where each has a diverged run.
        brief: the same where there is little room.
        accuracy: after the last round, as a share; None where each has a diverged run.
        low: end of its interval; None where there is none.
        high: likewise.
        untrained: the accuracy before the first round; None where it was not measured.
    """

    start: str
    method: str
    brief: str
    accuracy: float | None
    low: float | None
    high: float | None
    untrained: float | None

    @property
    def told(self) -> str:
        """The accuracy and its interval."""
        if self.low is None or self.high is None:
            return percent(self.accuracy)
        return f"{percent(self.accuracy)} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def heights(bests: Sequence[BestOfStart]) -> tuple[float, float]:
    """Inches of a figure of so many rows, in the wide and in the narrow layout."""
    row = TALL_ROW if needs_two_lines(bests) else ROW
    return 0.62 + ROW * len(bests), 0.62 + row * len(bests)


def needs_two_lines(bests: Sequence[BestOfStart]) -> bool:
    """Whether in the narrow layout a start and its pair are too long for one line."""
    starts = [best.start for best in bests]
    return any(len(label(starts, it.start, NAME)) + len(it.brief) > ROOM for it in bests)


def shown_lines(bests: Sequence[BestOfStart], constant: float | None) -> set[float]:
    """Of the constant answer and the starts before training, those that lie near enough."""
    ends: list[float] = []
    for best in bests:
        ends += [end for end in (best.accuracy, best.low, best.high) if end is not None]
    if not ends:
        return set()
    room = FURTHEST * max(max(ends) - min(ends), 0.02)
    lines = [constant, *(best.untrained for best in bests)]
    return {
        line for line in lines if line is not None and min(ends) - room <= line <= max(ends) + room
    }


def intervals_by_start(
    figure: Any, wide: bool, bests: Sequence[BestOfStart], constant: float | None, measure: str
) -> None:
    """Draw the best pair of each start.

    Args:
        figure: where to draw.
        wide: the layout.
        bests: in the order of the study's starts.
        constant: the accuracy of the constant answer, as a share; None where it is not known.
        measure: what the accuracies were measured on, in words.
    """
    axes = figure.add_subplot()
    frame(figure, 0.12, 0.12, 0.14, 0.44)
    starts, lines = [best.start for best in bests], shown_lines(bests, constant)
    two_lines = not wide and needs_two_lines(bests)
    for y, best in enumerate(bests):
        if constant in lines:  # not through the words above a row
            (line,) = axes.plot([constant] * 2, [y - 0.2, y + 0.3], color=MUTED, lw=1, ls="--")
            hover(line, f"constant answer: {percent(constant)}")
        _row(axes, y, best, style(starts, best.start), best.untrained in lines)
        _words(axes, y, best, starts, wide, two_lines)
    axes.set_ylim(len(bests) - 0.45, -0.85 if two_lines else -0.75)
    axes.set_yticks([])
    axes.grid(axis="x", visible=True)
    axes.margins(x=0.05)
    axes.set_xlabel(f"final {measure}")
    axes.locator_params(axis="x", nbins=8 if wide else 5)
    percent_axis(axes.xaxis)


def _row(axes: Any, y: int, best: BestOfStart, look: tuple[str, Any, str], has_line: bool) -> None:
    """Draw a mark, its interval, and the thin line of the start before training.

    Args:
        axes: where to draw.
        y: of the row.
        best: what is drawn.
        look: colour, dash and marker of the start.
        has_line: whether the line is near enough.
    """
    colour, _, marker = look
    if best.untrained is not None and has_line:
        (line,) = axes.plot([best.untrained] * 2, [y - 0.16, y + 0.26], color=colour, lw=1.0)
        hover(line, f"{best.start} before training: {percent(best.untrained)}")
    if best.accuracy is None:
        return
    told = f"{best.start}, {best.method}: {best.told}"
    if best.low is not None and best.high is not None:
        (line,) = axes.plot([best.low, best.high], [y, y], color=colour, lw=3.2, alpha=0.45)
        hover(line, told)
    (mark,) = axes.plot(best.accuracy, y, marker, ms=7, color=colour, zorder=3, clip_on=False)
    hover(mark, told)


def _words(
    axes: Any, y: int, best: BestOfStart, starts: Sequence[str], wide: bool, two_lines: bool
) -> None:
    """Write above a row which start it is, with what, and its accuracy.

    Args:
        axes: where to write.
        y: of the row.
        best: what is written.
        starts: all of the study.
        wide: the layout.
        two_lines: whether the pair has a line of its own.
    """
    colour = style(starts, best.start)[0]
    beside = axes.get_yaxis_transform()
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
    look = {"fontsize": 8.8 if wide else 8.0, "va": "center", "bbox": box, "transform": beside}
    name = label(starts, best.start, 36 if wide else NAME)
    told = best.told if best.accuracy is not None else "every pair has a diverged run"
    above = y - (0.62 if two_lines else 0.42)
    start = axes.text(0, above, name, color=colour, weight="bold", **look)
    axes.text(1, above, told, color=INK, ha="right", **look)
    if two_lines:
        axes.text(0, y - 0.3, short(best.method, 52), color=MUTED, **look)
        return
    called = short(best.method, 46) if wide else best.brief
    behind = {"xycoords": start, "textcoords": "offset points", "va": "center", "bbox": box}
    axes.annotate(called, (1, 0.5), (5, 0), color=MUTED, fontsize=look["fontsize"], **behind)
