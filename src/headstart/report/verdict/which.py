"""With what: the pairs that are as good as any from the start that was chosen, and those to avoid.

One rule a function, and the first that applies wins: `_rules` has their order. A pair is good where
no other is better by more than the margin, and to be avoided where some other is ahead of it.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from headstart.looks.decided import Decided
from headstart.report.measures.baselines import constant_accuracy, untrained_accuracy
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.verdict.headlines import NOTHING
from headstart.report.verdict.sentences import (
    Sentence,
    difference,
    either,
    for_so_long,
    in_points,
    joined,
    named,
)
from headstart.report.verdict.where import UNMEASURED, missing
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent
from headstart.statistics.joint.decisions import Bounds, Decision
from headstart.wording.phrases import count, listed, some

NAMED = 3
"""Pairs that are named although nothing is decided of them; of more it is said how many."""

MOST_OF = 0.5
"""Of the accuracy of the best pair: from here on the constant answer stands beside it. Ours."""

SEEN = 0.0005
"""Of accuracy: less luck than this would be written as nothing."""

TOO_WIDE = 0.25
"""Of accuracy: bounds that are further away than this tell nothing apart that anybody compares."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one start as the last look of a study sees them, by their places."""

    found: Decided
    last: Decision
    start: str

    @cached_property
    def place(self) -> int:
        """The place of the start."""
        return self.found.starts.index(self.start)

    @cached_property
    def able(self) -> list[int]:
        """The pairs without a diverged run, the highest mean first."""
        means = self.last.means[self.place]
        places = np.flatnonzero(np.isfinite(means)).tolist()
        return sorted(places, key=lambda place: -means[place])

    @cached_property
    def worse(self) -> list[int]:
        """The pairs that another is ahead of."""
        worse = self.last.worse(self.place)
        return [place for place in self.able if place in worse]

    @cached_property
    def candidates(self) -> list[int]:
        """The pairs that no other is ahead of."""
        return [place for place in self.able if place not in self.worse]

    @cached_property
    def good(self) -> list[int]:
        """The pairs than which no other is better by more than the margin."""
        good = self.last.good(self.place)
        return [place for place in self.able if place in good]

    @cached_property
    def avoid(self) -> list[int]:
        """The pairs that another is ahead of, unless by less than matters."""
        return [place for place in self.worse if place not in self.good]

    @cached_property
    def open(self) -> list[int]:
        """The pairs of which neither is decided."""
        return [place for place in self.candidates if place not in self.good]

    def names(self, places: list[int]) -> tuple[str, ...]:
        """The pairs at some places, each with those that are one with it."""
        return tuple(named(self.found.pairs[place]) for place in places)

    def accuracy(self, place: int) -> str:
        """The mean accuracy of a pair from its start, with how much of it may be luck."""
        mean = f"{percent(float(self.last.means[self.place, place]))} from {self.start}"
        many = int(np.isfinite(self.last.luck).sum())
        contenders = f"{many} pairs" if len(self.found.starts) == 1 else f"{many} starts with pairs"
        by = float(self.last.luck[self.place, place])
        is_highest = self.place == self.last.leader and place == self.able[0]
        if not is_highest or not by >= SEEN:
            return mean
        return (
            f"{mean} (the best of {contenders} that are not told apart: were they equal, "
            f"{in_points(round(by, 3))} of it would be luck)"
        )

    @property
    def chance(self) -> str:
        """The chance of the pair with the highest mean to be the best."""
        return percent(float(self.last.chances[self.place, self.able[0]]), 0)

    def ahead(self, place: int, other: int) -> Bounds:
        """One pair less another."""
        return self.last.pairs[self.place, place, other]

    @property
    def resolution(self) -> float:
        """How far pairs must lie apart to be told apart: half the width of the bounds from the
        best, in the median over the others.
        """
        widths = []
        for other in self.able[1:]:
            bounds = self.ahead(self.able[0], other)
            widths.append((bounds.high - bounds.low) / 2)
        return float(np.median(widths)) if widths else math.nan


def with_what(
    grid: Grid, start: str, floor: str = "", untrained: str = "", rising: str = ""
) -> Sentence:
    """The second sentence of a verdict, on the pairs from `start`.

    Args:
        grid: the study's cells.
        start: the one that is chosen.
        floor: the headline with which nothing is claimed.
        untrained: the headline with which no pair is said to be of use.
        rising: the headline with which claims are made for so many rounds only.
    """
    found = grid.decided
    if not grid.measured:
        return Sentence(False, f"No pair can be recommended from {start}", UNMEASURED)
    if found.last is None:
        return Sentence(False, "No pair is recommended yet", missing(found))
    pairs = Pairs(found, found.last, start)
    if not pairs.able:
        why = "every pair has a diverged run"
        return Sentence(False, f"No pair can be recommended from {start}", why)
    first = pairs.names(pairs.able[:1])
    if floor:
        return Sentence(
            False, "Nothing says with what", "none of its pairs learned anything", first
        )
    if untrained:
        little = in_points(min(found.last.margin, NOTHING))
        why = f"no pair improves on its weights by more than {little}"
        return Sentence(False, f"Use {start} as it is, without training", why, first)
    ran = [pair for pair in found.pairs if (start, pair[0], found.setting) in grid.cells]
    if len(ran) == 1:
        why = pairs.accuracy(pairs.able[0])
        return Sentence(False, f"Only one pair, {first[0]}, was run", why, first)
    sentence = next(filter(None, _rules(pairs)), None) or undecided(pairs)
    if rising:
        sentence = for_so_long(sentence, grid.rounds)
    lost = len(ran) - len(pairs.able)
    if not lost:
        return sentence
    diverged = f"{count(lost, 'pair')} had a diverged run"
    return replace(sentence, evidence=joined(sentence.evidence, diverged))


def what_others_need(grid: Grid, starts: Collection[str]) -> str:
    """Which of the starts that are as good are so by training, and by which pair; one that has its
    accuracy before the first round does not need it.
    """
    told = []
    for start in starts:
        cell, begun = grid.best(start), untrained_accuracy(grid, start)
        if cell is None or not begun:
            continue
        began = float(np.mean([*begun.values()]))
        if cell.mean - began > grid.margin:
            by = f"{method(cell.pair)} ({percent(began)} before it, {percent(cell.mean)} after it)"
            told.append(f"{start} is as good only by training, with {by}")
    return joined(*told)


def high_constant(grid: Grid, cell: Cell) -> str:
    """What an answer gets that looks at nothing, where that is most of an accuracy."""
    constant = constant_accuracy(grid)
    if constant is None or not cell.accuracy or constant < MOST_OF * cell.mean:
        return ""
    return f"one and the same answer to every row gets {percent(constant)} right"


def cell_to_take(grid: Grid, start: str, which: Sentence) -> Cell | None:
    """The runs of the pair that the second sentence names first, or of that with the highest mean;
    None where each pair of the start has a diverged run.
    """
    found, last = grid.decided, grid.decided.last
    if last is not None and start in found.starts:
        pairs = Pairs(found, last, start)
        for place in pairs.able:
            if pairs.names([place]) == which.names[:1]:
                return grid.cell(start, found.pairs[place][0])
    return grid.best(start)


def _rules(pairs: Pairs) -> Iterator[Sentence | None]:
    """Yield what each rule says in turn, None where it does not apply."""
    yield the_best(pairs)
    yield as_good(pairs)
    yield by_elimination(pairs)


def the_best(pairs: Pairs) -> Sentence | None:
    """One pair is ahead of every other."""
    if len(pairs.candidates) != 1 or len(pairs.good) > 1:
        return None
    (best,) = pairs.candidates
    (name,) = pairs.names([best])
    evidence = pairs.accuracy(best)
    if pairs.worse:
        second = difference(pairs.ahead(best, pairs.worse[0]))
        others = f"each of the {len(pairs.worse)} others, of the nearest"
        if len(pairs.worse) == 1:
            others = "the other pair"
        evidence = f"{evidence}, ahead of {others} by {second}"
    return Sentence(True, f"Use {name}", evidence, (name,), pairs.names(pairs.worse))


def as_good(pairs: Pairs) -> Sentence | None:
    """No other pair is better than these by more than the margin."""
    if not pairs.good:
        return None
    names = pairs.names(pairs.good)
    avoid, open_ = pairs.names(pairs.avoid), pairs.names(pairs.open)
    claim = f"Use any of {either(names)}" if len(names) > 2 else f"Use {either(names)}"
    shown = f"it ends at {pairs.accuracy(pairs.good[0])}"
    why = f"no other pair is better by more than {in_points(pairs.last.margin)}"
    if len(names) > 1:
        shown = f"{names[0]} ends at {pairs.accuracy(pairs.good[0])}"
        why = f"no pair is better than these by more than {in_points(pairs.last.margin)}"
    return Sentence(True, claim, joined(why, shown, *_rest(avoid, open_)), names, avoid, open_)


def by_elimination(pairs: Pairs) -> Sentence | None:
    """Some pairs are behind another; between the rest it is not decided."""
    if not pairs.avoid:
        return None
    avoid, open_ = pairs.names(pairs.avoid), pairs.names(pairs.candidates)
    claim = f"It is not decided with what; avoid {some(avoid)}"
    return Sentence(False, claim, _open(pairs), open_[:1], avoid, open_)


def undecided(pairs: Pairs) -> Sentence:
    """Nothing is told apart."""
    names = pairs.names(pairs.able)
    return Sentence(False, "It is not decided with what", _open(pairs), names[:1], open=names)


def _open(pairs: Pairs) -> str:
    """The pair that leads, and what so many seeds can tell apart."""
    (first,) = pairs.names(pairs.able[:1])
    accuracy = pairs.accuracy(pairs.able[0])
    shown = f"{first} leads with {accuracy}, and is the best with a chance of"
    others = count(len(pairs.candidates) - 1, "other")
    seeds = count(pairs.last.seeds, pairs.found.unit)
    which = "the two pairs" if len(pairs.able) == 2 else f"most of {len(pairs.able)} pairs"
    far = f"{seeds} are too few to tell {which} apart"
    if pairs.resolution < TOO_WIDE:
        least = in_points(round(pairs.resolution, 3))
        far = f"{seeds} tell pairs apart only where they differ by about {least} or more"
    return f"{shown} {pairs.chance}; {others} may be as good or better; {far}"


def _rest(avoid: tuple[str, ...], open_: tuple[str, ...]) -> Iterator[str]:
    """Yield what is said of the pairs that are not recommended."""
    if avoid:
        yield f"avoid {some(avoid)}"
    if open_:
        which = f"{len(open_)} other pairs" if len(open_) > NAMED else listed(open_)
        yield f"{which} may be as good, which is not decided"
