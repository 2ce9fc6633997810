"""What follows the verdict's two sentences: the cost, what would flip it, and what stays open. One
rule a function.

Each reads the stored tables only and returns one sentence, or nothing where the study has no runs
for it.
"""

import math
from collections.abc import Sequence

import numpy as np

from headstart.looks.competitors import Pair, Setting
from headstart.report.measures.speed import reached, rounds_needed, share_of
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import percent, points, size
from headstart.statistics import power
from headstart.statistics.intervals import LEVEL, Estimate, holm, paired_difference
from headstart.wording.phrases import count, listed

Looked = tuple[str, Setting, Estimate]
"""Another start, a setting, and how far it is ahead there."""


def consequences(grid: Grid, start: str, panels: Sequence[Panel | Missing]) -> list[str]:
    """What the rules say of a start and its best pair."""
    best = grid.standings[start].best_cell
    if best is None:
        return []
    said = [
        what_it_costs(grid, start, best.pair),
        when_it_would_flip(grid, start, best.pair),
        what_is_open(grid, start, panels),
    ]
    return list(filter(None, said))


def what_it_costs(grid: Grid, start: str, pair: Pair) -> str:
    """Rounds, bytes and simulated seconds to the target, or of whole runs; medians over seeds."""
    cell = grid.cell(start, pair)
    if cell.diverged:
        return ""
    rounds = {seed: float(ran or 0) for seed, ran in cell.by_seed("rounds").items()}
    goal, note = "for the whole run", ""
    if grid.target is not None:
        target = percent(grid.target, 0)
        if reached(cell) < len(cell.runs):
            runs = count(len(cell.runs), "run")
            note = f" ({target} is reached by {reached(cell)} of {runs})"
        else:
            rounds, goal = rounds_needed(cell), f"to {target}"
            if not any(rounds.values()):
                return f"{pair} from {start} is at {target} before the first round."
    parts = [f"{np.median(list(rounds.values())):g} rounds", *_used(cell, rounds)]
    return f"{pair} from {start} costs {listed(parts)} {goal}, in the median over seeds{note}."


def _used(cell: Cell, rounds: dict[int, float]) -> list[str]:
    """The bytes and the simulated seconds of so many rounds, where they are known."""
    sent_bytes, seconds = cell.by_seed("bytes_sent"), cell.by_seed("simulated_seconds")
    parts = []
    for totals, scale, unit in ((sent_bytes, 1e6, "MB sent"), (seconds, 1.0, "simulated seconds")):
        used = share_of(cell, totals, rounds)
        if used is not None:
            parts.append(f"{size(used / scale)} {unit}")
    return parts


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
    order = f"With {pair}, the order of the starts"
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


def what_is_open(grid: Grid, start: str, panels: Sequence[Panel | Missing]) -> str:
    """The panels without an answer, and how many more seeds would tell the best pair from the
    second.
    """
    unsure = []
    for panel in panels:
        if isinstance(panel, Panel) and panel.answer.says == "undecided":
            unsure.append(f"\u201c{panel.heading}\u201d")
    said = [f"Open: {listed(unsure)}."] if unsure else []
    s = grid.standings[start]
    gaps = {i: gap for i, gap in enumerate(s.gaps) if gap is not None and i in s.tied}
    if gaps and s.best is not None:
        second = min(gaps, key=lambda i: gaps[i].value)
        gap = gaps[second]
        couples = math.comb(len(s.cells) - s.diverged, 2)
        needed = power.seeds_needed(gap, level=1 - (1 - LEVEL) / couples)
        many = f"more than {power.MOST_SEEDS:,} seeds"
        if needed is not None:
            many = f"about {count(max(1, needed - gap.n), 'more seed')}"
        if gap.low is not None:
            two = f"{s.pairs[s.best]} from {s.pairs[second]}"
            said.append(f"Telling {two} would take {many}, if they differ as measured.")
    return " ".join(said)
