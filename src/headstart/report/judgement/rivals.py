"""The start with the best pair against every other: in final accuracy, and in rounds to the target."""

from dataclasses import dataclass, replace

import numpy as np

from headstart.report.panels.speedup import reached, rounds_needed
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import Standing
from headstart.report.words.numbers import count, listed, percent
from headstart.statistics import effects
from headstart.statistics.intervals import Estimate, holm, paired_difference


@dataclass(frozen=True)
class Rival:
    """A start held against the leader: each with its best pair, and at the same pair (mean); p after Holm over all that
    the first sentence of the verdict looks at, rounds to the target included. `diverged`: pairs that the mean lacks."""

    standing: Standing
    at_best: Estimate | None
    same_pair: Estimate | None
    p_best: float | None
    p_same: float | None
    diverged: int


@dataclass(frozen=True)
class Speed:
    """Rounds that the leader saves at its best pair, with p likewise, and the words for it (empty without a target)."""

    saved: Estimate | None
    words: str
    p: float | None = None


def rivals(leader: Standing, others: list[Standing], quicker: Speed) -> tuple[list[Rival], Speed]:
    """The leader against each other start, and `quicker` with its p. The sentence is decided by the first of several
    tests that says so, so that together they must err in 5 % at most; a test that is there twice counts once."""
    at_best, same, lost = [], [], []
    for other in others:
        best = leader.best_cell, other.best_cell
        at_best.append(paired_difference(best[0].accuracy, best[1].accuracy) if best[0] and best[1] else None)
        kept = [i for i, cell in enumerate(leader.cells) if cell.accuracy and other.cells[i].accuracy]
        lost.append(len(leader.cells) - len(kept))
        same.append(
            paired_difference(*(effects.mean_over([s.cells[i].accuracy for i in kept]) for s in (leader, other)))
        )
    tests = list(dict.fromkeys(filter(None, [*at_best, *same, quicker.saved])))
    adjusted = dict(zip(tests, holm([test.p for test in tests]), strict=True))
    held = [
        Rival(other, a, s, adjusted[a] if a else None, adjusted[s] if s else None, n)
        for other, a, s, n in zip(others, at_best, same, lost, strict=True)
    ]
    return held, replace(quicker, p=adjusted[quicker.saved] if quicker.saved else None)


def speed(study: Study, leader: Standing, other: Standing) -> Speed:
    """A run that never reaches the target counts with the rounds it ran, so that savings are lower bounds."""
    if study.target is None or leader.best is None:
        return Speed(None, "")
    cells = leader.cells[leader.best], other.cells[leader.best]
    target, pair = percent(study.target, 0), leader.pairs[leader.best]
    if not any(reached(cell) for cell in cells):
        return Speed(None, f"with {pair} neither reaches {target}")
    saved = paired_difference(rounds_needed(cells[1]), rounds_needed(cells[0]))
    named = list(zip((leader.start, other.start), cells, strict=True))
    if any(reached(cell) < len(cell.runs) for cell in cells):
        hits = [f"{reached(cell)} of {count(len(cell.runs), 'run')} from {start}" for start, cell in named]
        return Speed(saved, f"with {pair}, {target} is reached by {listed(hits)}")
    (quick, first), (slow, second) = sorted((float(np.median([*rounds_needed(c).values()])), s) for s, c in named)
    saving = f", {100 * (1 - quick / slow):.0f}% fewer bytes" if slow > quick else ""
    return Speed(saved, f"with {pair}, {target} takes {quick:g} rounds from {first} and {slow:g} from {second}{saving}")
