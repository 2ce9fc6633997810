"""Where to begin. One rule a function, and the first that applies wins: `_rules` has their order.

Every claim is read off the bounds of the last look, which hold together with all others of the
study. Averages over pairs and rounds to a target are evidence beside a claim and never one
themselves: they have no share of the study's error.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from headstart.looks.decided import Decided
from headstart.report.measures.speed import reached, reached_by_all, rounds_needed
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.verdict.other_rows import measured_on
from headstart.report.verdict.sentences import (
    Sentence,
    difference,
    either,
    for_so_long,
    in_points,
    joined,
    possible,
)
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent, points
from headstart.statistics import effects
from headstart.statistics.intervals import paired_difference
from headstart.statistics.joint.decisions import Bounds, Decision
from headstart.wording.phrases import count, listed, some

UNMEASURED = "accuracy was not measured: add the probe evaluation"
CANNOT = "This study cannot say where to begin"

RANDOM = "random"
"""The start that needs no weights of anybody."""

NAMED = 6
"""Starts to avoid that are named in a claim; the sentence says how many more there are."""


@dataclass(frozen=True)
class Starts:
    """The starts of a study as its last look sees them, by their names.

    twins: starts that are one with an earlier one, by whose name they go: every run came to the
    same from both, as of a file that is given twice.
    """

    found: Decided
    last: Decision
    leader: str
    twins: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def able(self) -> list[str]:
        """The starts that have a pair without a diverged run, by their best pairs."""
        names = []
        for start, best in zip(self.found.starts, self.last.best, strict=True):
            if best is not None and start != self.leader and start not in self.twins:
                names.append(start)
        names.sort(key=lambda start: self.ahead(self.leader, start).value)
        return [self.leader, *names]

    @property
    def unable(self) -> list[str]:
        """The starts from which every pair has a diverged run."""
        able = (*self.able, *self.twins)
        return [start for start in self.found.starts if start not in able]

    def ahead(self, start: str, other: str) -> Bounds:
        """The best pair of one start less the best of another."""
        return self.last.starts[self.found.starts.index(start), self.found.starts.index(other)]

    @cached_property
    def behind(self) -> list[str]:
        """The starts that some other is ahead of."""
        names = [self.found.starts[place] for place in sorted(self.last.behind)]
        return [start for start in names if start not in self.twins]

    @cached_property
    def candidates(self) -> list[str]:
        """The starts that no other is ahead of."""
        return [start for start in self.able if start not in self.behind]

    @cached_property
    def good(self) -> list[str]:
        """The starts than which no other is better by more than the margin: none of those that are
        behind no other, so that one of them is the best.
        """
        names = []
        for start in self.able:
            no_worse = self.last.no_worse(self.found.starts.index(start))
            others = {self.found.starts.index(other) for other in self.candidates if other != start}
            if others <= no_worse:
                names.append(start)
        return names

    def with_twins(self, names: Collection[str]) -> tuple[str, ...]:
        """The starts, and behind them those that are one with one of them."""
        return (*names, *(twin for twin, first in self.twins.items() if first in names))

    @property
    def told_twins(self) -> str:
        """Which starts are one, as a clause; empty where none are."""
        said = [f"{twin} is {first} again" for twin, first in self.twins.items()]
        return f"{listed(said)}, as each of their runs came to the same" if said else ""


def twins(grid: Grid) -> dict[str, str]:
    """Starts that are one with an earlier one, by its name."""
    found: dict[str, str] = {}
    for other in grid.decided.starts:
        for first in grid.decided.starts:
            if first == other:
                break
            if first not in found and _are_one(grid, first, other):
                found[other] = first
                break
    return found


def _are_one(grid: Grid, first: str, other: str) -> bool:
    cells = [(grid.cells.get((first, *at)), grid.cells.get((other, *at))) for at in grid.places()]
    both = [(one, two) for one, two in cells if one is not None and two is not None]
    return bool(both) and all(one.came_to_the_same(two) for one, two in both)


def seen(grid: Grid) -> Starts | None:
    """The starts at the last look; None where none was taken, or no start can be used."""
    last, names = grid.decided.last, grid.decided.starts
    if last is None or last.leader is None:
        return None
    return Starts(grid.decided, last, names[last.leader], twins(grid))


def where_to_begin(grid: Grid, floor: str = "", rising: str = "") -> Sentence:
    """The first sentence of a verdict.

    `floor`: the headline with which nothing is claimed; `rising`: that with which claims are made
    for so many rounds only.
    """
    starts = seen(grid)
    if starts is None or len(starts.found.starts) == 1:
        return _cannot(grid)
    if floor:
        why = "no run is better than an answer that looks at nothing"
        return Sentence(False, "Nothing says where to begin", why, (starts.leader,))
    if starts.unable:
        return by_divergence(grid, starts)
    found = next(filter(None, _rules(grid, starts)), None)
    found = found or undecided(grid, starts)
    if rising:
        found = for_so_long(found, grid.rounds)
    if len(starts.able) == 1:
        return found
    beside = joined(
        on_average(grid, starts.leader, starts.able[1]), speed(grid, starts.leader, starts.able[1])
    )
    return replace(found, beside=f"Not judged: {beside}." if beside else "")


def _cannot(grid: Grid) -> Sentence:
    """What is said where no look was taken, or nothing can be compared."""
    found, names = grid.decided, grid.starts[:1]
    if len(grid.starts) == 1:
        return Sentence(False, CANNOT, f"only one start, {names[0]}, was run", names)
    if not grid.measured:
        return Sentence(False, CANNOT, UNMEASURED, names)
    if len(found.starts) == 1:
        why = f"only {found.starts[0]} was run in the setting that most runs have"
        return Sentence(False, CANNOT, why, found.starts)
    if found.last is None:
        return Sentence(False, "Nothing is claimed yet", missing(found), names)
    return Sentence(False, CANNOT, "every pair has a diverged run; lower the rates", names)


def missing(found: Decided) -> str:
    """What a study lacks for its next look."""
    looks = found.plan.looks.seeds
    if not looks or looks[0] < 2:
        return "one seed gives no interval, run at least three"
    are = "is" if found.missing == 1 else "are"
    at = count(looks[0], found.unit)
    return f"{count(found.missing, 'run')} of its first look, at {at}, {are} missing"


def _rules(grid: Grid, starts: Starts) -> Iterator[Sentence | None]:
    """Yield what each rule says in turn, None where it does not apply."""
    measured = told(grid, starts, f"{starts.leader} measures")
    yield level(starts, measured)
    yield ahead_of_all(starts, told(grid, starts, "it gains"))
    yield good_enough(starts, measured)
    yield by_elimination(starts, measured)


def by_divergence(grid: Grid, starts: Starts) -> Sentence:
    """From some start every pair has a diverged run. That is a claim where nothing ran from it; a
    run that diverges now and then says too little of a start.
    """
    lost, ended = 0, 0
    for start in starts.unable:
        for pair in grid.pairs():
            cell = grid.cell(start, pair)
            lost, ended = lost + cell.diverged, ended + len(cell.runs)
    unable = some(starts.unable)
    if lost == ended and len(starts.able) == 1:
        why = f"from {unable} every run diverged"
        return Sentence(
            True, f"Begin from {starts.leader}", why, (starts.leader,), tuple(starts.unable)
        )
    why = (
        f"from {unable} every pair has a diverged run ({lost} of {count(ended, 'run')}), so "
        "that it cannot be compared; lower its rates"
    )
    open_ = (*starts.able, *starts.unable)
    return Sentence(False, "It is not decided where to begin", why, (starts.leader,), open=open_)


def level(starts: Starts, evidence: str) -> Sentence | None:
    """No start is better than another by more than the margin."""
    if starts.good != starts.able:
        return None
    names = starts.with_twins(starts.able)
    which = "Either start will do" if len(names) == 2 else "Any start will do"
    if len(starts.able) == 1:
        return Sentence(True, which, starts.told_twins, names)
    why = f"none is better than another by more than {in_points(starts.last.margin)}"
    return Sentence(True, which, joined(why, evidence), names)


def ahead_of_all(starts: Starts, evidence: str) -> Sentence | None:
    """One start is ahead of every other, each with its best pair."""
    if len(starts.candidates) != 1:
        return None
    (start,) = starts.candidates
    names = starts.with_twins([start])
    return Sentence(True, f"Begin from {start}", evidence, names, starts.with_twins(starts.behind))


def good_enough(starts: Starts, evidence: str) -> Sentence | None:
    """No start is better than these by more than the margin; that they are better is not known.

    The leader is one of them: else a study goes on, as it may be the better one.
    """
    if starts.leader not in starts.good:
        return None
    avoid = tuple(start for start in starts.behind if start not in starts.good)
    open_ = tuple(start for start in starts.able if start not in (*avoid, *starts.good))
    why = f"no start is better by more than {in_points(starts.last.margin)}"
    if len(starts.good) == 1 and not avoid:
        why = f"{why}, and {starts.leader} itself is not shown to be better"
    claim = f"Nothing is lost by beginning from {either(starts.good)}{_not_from(avoid)}"
    names = starts.with_twins(starts.good)
    avoid, open_ = starts.with_twins(avoid), starts.with_twins(open_)
    return Sentence(True, claim, joined(why, evidence), names, avoid, open_)


def by_elimination(starts: Starts, evidence: str) -> Sentence | None:
    """Some starts are behind another; between the rest it is not decided."""
    if not starts.behind:
        return None
    names = tuple(starts.candidates)
    claim = f"Begin from {either(names)}{_not_from(starts.behind)}"
    why = f"between {'these two' if len(names) == 2 else 'these'} it is not decided"
    names, behind = starts.with_twins(names), starts.with_twins(starts.behind)
    return Sentence(True, claim, joined(why, evidence), names, behind, names)


def _not_from(avoid: Collection[str]) -> str:
    return f", not from {some(avoid, NAMED)}" if avoid else ""


def undecided(grid: Grid, starts: Starts) -> Sentence:
    """Nothing is told apart: what is possible after so many seeds."""
    said = []
    for other in nearest_and_furthest(starts):
        bounds = starts.ahead(starts.leader, other)
        lead = f"{starts.leader} leads {other} by {abs(100 * bounds.value):.1f} points"
        said.append(f"{lead}, but {possible(bounds)}")
    seeds = count(starts.last.seeds, starts.found.unit)
    measure = f"final {measured_on(grid)} with the best pair of each"
    why = f"after {seeds}, in {measure}, {joined(*said, starts.told_twins)}"
    claim, able = "It is not decided where to begin", starts.with_twins(starts.able)
    return Sentence(False, claim, why, (starts.leader,), open=able)


def told(grid: Grid, starts: Starts, who: str) -> str:
    """What the leader has over the nearest and the furthest start, and over random weights, with
    their best pairs; and which starts are one.

    who: it with a verb; only a start that is ahead gains.
    """
    said = []
    for other in nearest_and_furthest(starts):
        said.append(f"{difference(starts.ahead(starts.leader, other))} over {other}")
    measured = f"{who} {listed(said)} in final {measured_on(grid)}, each with its best pair"
    return joined(measured, starts.told_twins)


def nearest_and_furthest(starts: Starts) -> list[str]:
    """The starts that a sentence holds the leader against, and random weights, where they are among
    them; the picture has those between.
    """
    others = starts.able[1:]
    if len(others) < 3:
        return others
    return [other for other in others if other in (others[0], RANDOM, others[-1])]


def on_average(grid: Grid, leader: str, other: str) -> str:
    """The difference at the same pair, mean over pairs that are not the same; not a claim."""
    ours, theirs = [], []
    for pair, *_ in grid.decided.pairs:
        here = grid.cells.get((leader, pair, grid.base))
        there = grid.cells.get((other, pair, grid.base))
        if here and there and here.accuracy and there.accuracy:
            ours.append(here.accuracy)
            theirs.append(there.accuracy)
    gain = paired_difference(effects.mean_over(ours), effects.mean_over(theirs))
    if gain is None or len(ours) < 2:
        return ""
    return f"{points(gain)} against {other} on average over {count(len(ours), 'pair')}"


def speed(grid: Grid, leader: str, other: str) -> str:
    """How many rounds the target takes from both, at the leader's best pair; not a claim."""
    best = grid.best(leader)
    there = grid.cells.get((other, best.pair, grid.base)) if best else None
    if grid.target is None or best is None or there is None:
        return ""
    target = percent(grid.target, 0)
    if reached_by_all(best) and reached_by_all(there):
        return f"with {method(best.pair)}, {target} takes {_rounds(best)} and {_rounds(there)}"
    hits = []
    for cell in (best, there):
        hits.append(f"{reached(cell)} of {count(len(cell.runs), 'run')} from {cell.start}")
    return f"with {method(best.pair)}, {target} is reached by {listed(hits)}"


def _rounds(cell: Cell) -> str:
    needed = float(np.median([*rounds_needed(cell).values()]))
    return f"{needed:g} rounds from {cell.start}"
