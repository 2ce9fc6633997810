"""What follows a verdict: what would flip it, and what stays open. One rule a function.

Each reads the stored tables only and returns one sentence, or nothing where the study has no runs
for it.
"""

from collections.abc import Sequence

from headstart.looks.competitors import Pair, Setting
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import points
from headstart.statistics.corrections import holm
from headstart.statistics.intervals import LEVEL, Estimate, paired_difference
from headstart.wording.phrases import count, listed

Looked = tuple[str, Setting, Estimate]
"""Another start, a setting, and how far it is ahead there."""


def consequences(grid: Grid, start: str, panels: Sequence[Panel | Missing]) -> list[str]:
    """What the rules say of a start and its best pair."""
    best = grid.best(start)
    if best is None:
        return []
    said = [when_it_would_flip(grid, start, best.pair), what_is_open(panels)]
    return list(filter(None, said))


def when_it_would_flip(grid: Grid, start: str, pair: Pair) -> str:
    """Settings of this study in which another start is ahead at this pair.

    Ahead: the 95 % interval of the difference lies above zero, after Holm over the settings and
    starts looked at.
    """
    looked = _looked_at(grid, start, pair)
    if all(found.low is None for _, _, found in looked):  # nothing is shown either way
        return ""
    adjusted = holm([found.p for _, _, found in looked])
    flips, leaning = [], []
    for (other, setting, found), p in zip(looked, adjusted, strict=True):
        if found.value > 0:
            leaning.append(f"{setting} ({points(found)} from {other})")
            if p is not None and p < 1 - LEVEL:
                flips.append(f"from {other} it is {points(found)} ({setting})")
    where = count(len({setting for _, setting, _ in looked}), "other setting")
    order = f"With {method(pair)}, the order of the starts"
    if flips:
        many = f"{len(flips)} of the comparisons in {where}"
        return f"{order} would flip in {many}: {listed(flips)}."
    if leaning:
        shown = f"{order} is not shown to flip in {where} of this study"
        return f"{shown}, but could with {listed(leaning)}."
    return f"{order} does not flip in {where} of this study."


def _looked_at(grid: Grid, start: str, pair: Pair) -> list[Looked]:
    """Each other start against this one at a pair, in each setting but the base."""
    settings = dict.fromkeys(setting for _, at, setting in grid.cells if at == pair)
    found = []
    for setting in settings:
        here = grid.cells.get((start, pair, setting))
        for other in grid.starts:
            there = grid.cells.get((other, pair, setting))
            if setting == grid.base or other == start or not here or not there:
                continue
            ahead = paired_difference(there.accuracy, here.accuracy)
            if ahead is not None:
                found.append((other, setting, ahead))
    return found


def what_is_open(panels: Sequence[Panel | Missing]) -> str:
    """The panels without an answer."""
    unsure = []
    for panel in panels:
        if isinstance(panel, Panel) and panel.answer.says == "undecided":
            unsure.append(f"\u201c{panel.heading}\u201d")
    return f"Open: {listed(unsure)}." if unsure else ""
