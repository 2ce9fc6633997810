"""The largest eigenvalues by start, and how many times larger one start's are, here and in the
paper.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.figures.axes import before_and_after, frame, legend
from headstart.report.figures.rendering import INK, MUTED, PAPER, label, style
from headstart.report.measures import flatness
from headstart.statistics.intervals import Estimate

MARGIN = 1.3
"""Inches on the left, for the names of the starts."""


@dataclass(frozen=True)
class Ratio:
    """A row of ratios: its name, the value and its interval, and whether it is this study's."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    here: bool = False


def draw(
    figure: Any,
    wide: bool,
    spectra: flatness.Spectra,
    between: tuple[str, str] | None,
    here: Mapping[str, Estimate | None],
    paper: Mapping[str, float],
) -> None:
    """Draw the eigenvalues, and beside them the ratios where there are two starts.

    Args:
        figure: where to draw.
        wide: the layout.
        spectra: the eigenvalues by start and seed, before and after.
        between: the two starts that are compared.
        here: logarithms of this study's ratios, by their names.
        paper: the paper's ratios, by task.
    """
    starts = tuple(spectra)
    if between is None:
        left, right = figure.add_subplot(), None
    elif wide:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    else:
        left, right = figure.subplots(2, 1, height_ratios=(0.42 * len(starts) + 0.15, 1.75))
    frame(figure, MARGIN, 0.25, 0.42, 0.45, wspace=0.48, hspace=0.75)
    if all(after for _, after in spectra.values()):
        legend(figure, (), MARGIN, before_and_after("before", "after"))
    _eigenvalues(left, wide, starts, spectra)
    if between is not None and right is not None:
        times = "how many times larger"
        right.set_xlabel(times if len(between[0]) > 12 else f"times larger from {between[0]}")
        _ratios(right, _rows(here, paper))


def _eigenvalues(axes: Any, wide: bool, starts: tuple[str, ...], spectra: flatness.Spectra) -> None:
    everything: list[float] = []
    for y, start in enumerate(starts):
        before, after = spectra[start]
        everything += [*before.values(), *after.values()]
        colour = style(starts, start)[0]
        if not after:
            _marks(axes, y, before, PAPER, style(starts, start))
            continue
        _marks(axes, y - 0.17, before, PAPER, style(starts, start))
        _marks(axes, y + 0.17, after, colour, style(starts, start))
    if min(everything) > 0:
        axes.set_xscale("log")
        axes.set_xlim(min(everything) / 1.6, max(everything) * 1.6)
        plain_ticks(axes, min(everything) / 1.6, max(everything) * 1.6)
    names = [label(starts, start, 18 if wide else 13) for start in starts]
    axes.set_yticks(range(len(starts)), names, color=INK)
    _turn(axes, len(starts))
    axes.set_xlabel("largest eigenvalue")


def _marks(
    axes: Any, y: float, by_seed: flatness.BySeed, face: str, look: tuple[str, Any, str]
) -> None:
    """Draw a mark a seed, and a bar at their mean.

    Args:
        axes: where to draw.
        y: the row.
        by_seed: the values.
        face: colour inside the marks.
        look: colour, dash and marker of the start.
    """
    colour, _, marker = look
    values = list(by_seed.values())
    face_of = {"color": colour, "mfc": face, "mew": 1.2}
    axes.plot(values, [y] * len(values), marker, ms=5.5, clip_on=False, zorder=3, **face_of)
    mean = flatness.mean(by_seed)
    axes.plot([mean, mean], [y - 0.15, y + 0.15], color=colour, lw=1.6, zorder=2)


def _turn(axes: Any, rows: int) -> None:
    """Let rows run from top to bottom, with grid lines across."""
    axes.set_ylim(rows - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)


def plain_ticks(axes: Any, low: float, high: float) -> None:
    """Set at most five round numbers on a logarithmic axis, written out."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = []
        for power in powers:
            ticks += [step * 10.0**power for step in steps if low <= step * 10.0**power <= high]
        if len(ticks) <= 5:
            break
    ticks = ticks[:: -(-len(ticks) // 5)]
    axes.set_xticks(ticks, [f"{tick:,.0f}" if 1 <= tick < 1e6 else f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _rows(here: Mapping[str, Estimate | None], paper: Mapping[str, float]) -> list[Ratio]:
    rows = []
    for name, logs in here.items():
        if logs is not None:
            rows.append(Ratio(name, math.exp(logs.value), _end(logs.low), _end(logs.high), True))
    return rows + [Ratio(f"paper, {task}", value) for task, value in paper.items()]


def _end(logarithm: float | None) -> float | None:
    return None if logarithm is None else math.exp(min(logarithm, 50.0))


def _ratios(axes: Any, rows: Sequence[Ratio]) -> None:
    marks, ends = [1.0], [1.0]
    for row in rows:
        marks.append(row.value)
        ends += filter(None, (row.value, row.low, row.high))
    # an interval that goes on beyond twenty times the widest mark is cut at the frame
    low = max(min(ends), min(marks) / 20) / 1.3
    high = min(max(ends), max(marks) * 20) * 1.3
    axes.axvline(1, color=MUTED, lw=0.9, ls=":")
    for y, row in enumerate(rows):
        colour = INK if row.here else MUTED
        if row.low is not None and row.high is not None:
            axes.plot([max(row.low, low), min(row.high, high)], [y, y], color=colour, lw=1.6)
        mark = "o" if row.here else "d"
        axes.plot(row.value, y, mark, ms=5, color=colour, clip_on=False, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    plain_ticks(axes, low, high)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    for row, text in zip(rows, axes.get_yticklabels(), strict=True):
        text.set_color(INK if row.here else MUTED)
    _turn(axes, len(rows))
