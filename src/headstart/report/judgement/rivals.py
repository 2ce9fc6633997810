"""The start with the best pair against every other: in final accuracy, and in rounds to the
target.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.report.measures.speed import reached, reached_by_all, rounds_needed
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.runs.standings import Standing
from headstart.report.words.numbers import percent
from headstart.statistics import effects
from headstart.statistics.intervals import Estimate, holm, paired_difference
from headstart.wording.phrases import count, listed


@dataclass(frozen=True)
class Rival:
    """A start held against the leader: each with its best pair, and at the same pair (mean).

    p is after Holm over this leader's tests, rounds to the target included. `diverged`: pairs that
    the mean lacks.
    """

    standing: Standing
    at_best: Estimate | None
    same_pair: Estimate | None
    diverged: int
    p_best: float | None = None
    p_same: float | None = None


@dataclass(frozen=True)
class Speed:
    """Rounds that the leader saves at its best pair, with p likewise, and the words for it.

    The words are empty without a target.
    """

    saved: Estimate | None
    words: str
    p: float | None = None


def rivals(
    leader: Standing, others: Sequence[Standing], quicker: Speed
) -> tuple[list[Rival], Speed]:
    """The leader against each other start, and `quicker` with its p.

    The tests of this leader are corrected together, so that together they err in 5 % at most; a
    test that is there twice counts once. The verdict asks this of each start in turn, and the
    families are not corrected for each other.
    """
    found = [against(leader, other) for other in others]
    tests = [rival.at_best for rival in found] + [rival.same_pair for rival in found]
    once = list(dict.fromkeys(filter(None, [*tests, quicker.saved])))
    adjusted: dict[Estimate | None, float | None] = {None: None}
    adjusted |= zip(once, holm([test.p for test in once]), strict=True)
    for i, rival in enumerate(found):
        p_best, p_same = adjusted[rival.at_best], adjusted[rival.same_pair]
        found[i] = replace(rival, p_best=p_best, p_same=p_same)
    return found, replace(quicker, p=adjusted[quicker.saved])


def against(leader: Standing, other: Standing) -> Rival:
    """The leader against one other start; p is not known yet."""
    at_best = None
    if leader.best_cell and other.best_cell:
        at_best = paired_difference(leader.best_cell.accuracy, other.best_cell.accuracy)
    ours, theirs = [], []
    for cell, its in zip(leader.cells, other.cells, strict=True):
        if cell.accuracy and its.accuracy:
            ours.append(cell.accuracy)
            theirs.append(its.accuracy)
    same_pair = paired_difference(effects.mean_over(ours), effects.mean_over(theirs))
    return Rival(other, at_best, same_pair, len(leader.cells) - len(ours))


def speed(grid: Grid, leader: Standing, other: Standing) -> Speed:
    """The rounds saved: a run that never reaches the target counts with all it ran: a lower
    bound.
    """
    if grid.target is None or leader.best is None:
        return Speed(None, "")
    named = {leader.start: leader.cells[leader.best], other.start: other.cells[leader.best]}
    target, pair = percent(grid.target, 0), leader.pairs[leader.best]
    if not any(map(reached, named.values())):
        return Speed(None, f"with {pair} neither reaches {target}")
    slower, quicker = rounds_needed(named[other.start]), rounds_needed(named[leader.start])
    saved = paired_difference(slower, quicker)
    if not all(map(reached_by_all, named.values())):
        hits = []
        for start, cell in named.items():
            hits.append(f"{reached(cell)} of {count(len(cell.runs), 'run')} from {start}")
        return Speed(saved, f"with {pair}, {target} is reached by {listed(hits)}")
    return Speed(saved, f"with {pair}, {target} takes {_takes(named)}")


def _takes(named: dict[str, Cell]) -> str:
    """The median rounds of two starts, the quicker first, in words."""
    medians = []
    for start, cell in named.items():
        medians.append((float(np.median([*rounds_needed(cell).values()])), start))
    (quick, first), (slow, second) = sorted(medians)
    saving = f", {100 * (1 - quick / slow):.0f}% fewer bytes" if slow > quick else ""
    return f"{quick:g} rounds from {first} and {slow:g} from {second}{saving}"
