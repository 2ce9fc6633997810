"""The bump chart: one axis a start, one line a pair, names beside the outer axes."""

import math
from typing import Any

import numpy as np

from headstart.report.figures.axes import frame, short, spread_labels
from headstart.report.figures.rendering import GRID, INK, MUTED, PAPER, hover, label, style
from headstart.report.runs.grid import Grid
from headstart.report.runs.standings import Standing
from headstart.report.words.numbers import percent

LETTER, STEP, SHORTEST = 0.085, 0.16, 9
"""Inches of a letter of a heading and between two levels of headings, and letters that a name has
at the least.
"""


def bump(figure: Any, wide: bool, grid: Grid) -> None:
    """Draw the pairs' means from every start, each axis with its own scale."""
    standings = list(grid.standings.values())
    starts, axes = list(grid.standings), figure.add_subplot()
    left, right = (2.4, 2.4) if wide else (0.55, 1.72)
    left = left if len(starts) > 1 else 0.3
    width, height = figure.get_size_inches()
    inch = max(1, len(starts) - 1) / (width - left - right)
    levels, letters = _headings(len(starts), 1 / inch)
    above = 0.42 + STEP * (levels - 1)
    frame(figure, left, right, above, 0.14)
    span = height - above - 0.14
    gap = 0.21 / span
    heights = [spread_labels(_heights(s.means), gap / 2, 0.0, 1.0) for s in standings]
    axes.set_xlim(0, max(1, len(starts) - 1))
    axes.set_ylim(0, 1)
    axes.axis("off")
    _lines(axes, standings, heights)
    for k, (s, ys) in enumerate(zip(standings, heights, strict=True)):
        colour, _, marker = style(starts, s.start)
        axes.plot([k, k], [0, 1], color=GRID, lw=1.2, zorder=0, clip_on=False)
        axes.text(
            k,
            1 + (0.22 + STEP * (k % levels)) / span,
            label(starts, s.start, min(letters, 24 if wide else 15)),
            color=colour,
            weight="bold",
            fontsize=9.4,
            ha="left" if k == 0 and not wide and levels < 3 else "center",
            va="bottom",
            clip_on=False,
        )
        for i, y in enumerate(ys):
            face = "x" if np.isnan(s.means[i]) else marker
            fill = colour if _near_best(s, i) else PAPER
            look = {"color": colour, "mfc": fill, "mew": 1.3}
            (mark,) = axes.plot(k, y, face, ms=5.5, clip_on=False, zorder=3, **look)
            hover(mark, f"{s.start}, {grid.brief(s.pairs[i])}: {percent(s.means[i])}")
        if k in (0, len(starts) - 1):
            names = [short(grid.brief(pair), 26 if wide else 20) for pair in s.pairs]
            side = 1 if k == len(starts) - 1 else -1
            _labels(axes, s, names, ys, (k, side, gap, inch), wide)


def _headings(starts: int, spacing: float) -> tuple[int, int]:
    """On how many levels the names of starts stand above their axes, which are so many inches
    apart, and how many letters each then has.
    """
    if starts < 3:
        return 1, int(spacing / LETTER)
    levels = min(max(2, math.ceil(SHORTEST * LETTER / spacing)), 4)
    return levels, max(SHORTEST, int(levels * spacing / LETTER))


def _lines(axes: Any, standings: list[Standing], heights: list[list[float]]) -> None:
    """Draw a line a pair; the best of each start in its colour."""
    starts = [s.start for s in standings]
    bests = {s.best: style(starts, s.start)[0] for s in standings if s.best is not None}
    for i in range(len(standings[0].cells)):
        is_best = i in bests
        axes.plot(
            range(len(standings)),
            [ys[i] for ys in heights],
            color=bests.get(i, MUTED),
            lw=2.2 if is_best else 1.0,
            alpha=1 if is_best else 0.55,
            zorder=2 if is_best else 1,
            clip_on=False,
        )


def _labels(
    axes: Any,
    s: Standing,
    names: list[str],
    ys: list[float],
    where: tuple[float, int, float, float],
    wide: bool,
) -> None:
    """Draw value and name beside an axis, moved apart; on a phone the left axis has room for values
    alone.

    Args:
        axes: where to draw.
        s: the standing of the axis.
        names: of the pairs.
        ys: heights of the pairs' marks.
        where: x of the axis; 1 to label its right, -1 its left; least distance of two labels; an
            inch, in units of x.
        wide: the layout.
    """
    x, side, gap, inch = where
    for i, y in enumerate(spread_labels(ys, gap, -gap / 2, 1 + gap / 2)):
        diverged = "diverged" if wide else "div."
        value = diverged if np.isnan(s.means[i]) else f"{100 * s.means[i]:.1f}"
        text = f"{value}  {names[i]}" if side > 0 else f"{names[i]}  {value}" if wide else value
        line = [x + side * 0.07 * inch, x + side * 0.2 * inch]
        axes.plot(line, [ys[i], y], color=MUTED, lw=0.5, clip_on=False)
        axes.text(
            x + side * 0.24 * inch,
            y,
            text,
            ha="left" if side > 0 else "right",
            va="center",
            clip_on=False,
            color=INK if _near_best(s, i) else MUTED,
            weight="bold" if i == s.best else "normal",
            fontsize=8.6 if wide else 7.5,
        )


def _near_best(s: Standing, i: int) -> bool:
    return i not in s.behind and not np.isnan(s.means[i])


def _heights(means: list[float]) -> list[float]:
    """0 to 1 along an axis; diverged pairs below everything."""
    good = [mean for mean in means if not np.isnan(mean)]
    low, high = (min(good), max(good)) if good else (0.0, 1.0)
    floor = 0.08 if len(good) < len(means) else 0.0
    scale = (1 - floor) / (high - low) if high > low else 0.0
    heights = []
    for mean in means:
        above = floor + (mean - low) * scale if scale else 0.5
        heights.append(0.0 if np.isnan(mean) else above)
    return heights
