"""What the final accuracies of a study support at each of its looks, by name.

A start is ahead where the bounds of the difference lie above 0; two are level where they lie within
the margin; a pair is good where no other is better by more than the margin. `claims` has the bounds
and says why all of it holds together.

Shapes: A starts, P pairs, N seeds.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.claims import Claims, claims
from headstart.statistics.joint.sequential import Looks
from headstart.statistics.joint.winners import chances, luck


@dataclass(frozen=True)
class Accuracies:
    """Final accuracies [A, P, N], seeds in the order in which the study runs them.

    NaN: not run, as in a pair that was raced out or a seed that is to come. -inf: the run
    diverged, and its pair can not be used from its start.

    step: the smallest difference that accuracy can show, one test row.
    """

    values: NDArray[np.float64]
    step: float = 0.0


@dataclass(frozen=True)
class Bounds:
    """A difference and the interval that it lies in.

    most: by how much the first is better at most, for the claim that this does not matter. Between
    starts, and wherever this is claimed, the interval ends there or at 0, and it ends within the
    margin only where that is claimed: so who has the interval can read off what is. (Of two that
    differ, only one can be claimed too good.)
    """

    value: float
    low: float = -math.inf
    high: float = math.inf
    most: float = math.inf


@dataclass(frozen=True)
class Decision:
    """What may be claimed at one look. Starts and pairs are places in the accuracies.

    seeds, spent: the seeds looked at and the error spent so far; margin: a difference that is no
    more than this does not matter. best: of each start the pair with the highest mean, None where
    all diverged. starts: (a, b) -> the best of a less the best of b. pairs: (a, i, j) -> pair i
    less pair j, both from a. luck [A, P]: of the contenders, the pairs that may be the best of all,
    by how much each mean is too high if all of them are equal and it came out highest; NaN of
    others. chances [A, P]: of each pair to be the best of its start.
    """

    seeds: int
    spent: float
    margin: float
    best: tuple[int | None, ...]
    means: NDArray[np.float64] = field(repr=False)  # [A, P]; NaN where it cannot be used
    starts: Mapping[tuple[int, int], Bounds] = field(repr=False)
    pairs: Mapping[tuple[int, int, int], Bounds] = field(repr=False)
    luck: NDArray[np.float64] = field(repr=False)
    chances: NDArray[np.float64] = field(repr=False)
    claims: Claims = field(repr=False)

    @property
    def leader(self) -> int | None:
        """The start whose best pair has the highest mean."""
        return int(self.claims.leader) if self.claims.able.any() else None

    @property
    def behind(self) -> frozenset[int]:
        """The starts that some other is ahead of."""
        return _places(np.asarray(self.claims.ahead.any(axis=0)))

    def no_worse(self, a: int) -> frozenset[int]:
        """The starts that are ahead of `a` by the margin at most."""
        return _places(self.claims.no_worse[a]) - {a}

    def good(self, a: int) -> frozenset[int]:
        """The pairs of a start than which no other is better by more than the margin."""
        return _places(self.claims.good[a])

    def worse(self, a: int) -> frozenset[int]:
        """The pairs of a start that some other is ahead of."""
        return _places(self.claims.worse[a])

    @property
    def where(self) -> bool:
        """Whether it is decided where to begin: no other start is better than the leader by more
        than the margin.
        """
        return bool(self.claims.where)

    @property
    def which(self) -> bool:
        """Whether it is decided with what: some pair of the leader is good."""
        return bool(self.claims.which)

    @property
    def hopeless(self) -> bool:
        """Whether what is not decided will most likely not be by the seeds that are planned."""
        return bool(self.claims.hopeless)


@dataclass(frozen=True)
class Contradiction:
    """What a look said of two starts, and the mean of all seeds at a later one denies.

    seeds: that the earlier look was at. one, other: places of the starts. said: where the best of
    the one less the best of the other was said to lie. now: what it is.
    """

    seeds: int
    one: int
    other: int
    said: Bounds
    now: float


def contradictions(looks: Sequence[Decision]) -> list[Contradiction]:
    """Of each two starts what an earlier look said that the last one denies, the worst of it.

    Where runs are alike in all seeds, 1 study of 100 has one. A start of which a run in ten
    collapses has one in half of its studies.
    """
    found = []
    last = looks[-1].starts if looks else {}
    for (a, b), bounds in last.items():
        worst, beyond = None, 0.0
        for look in looks[:-1] if a < b else ():
            if (a, b) not in look.starts:
                continue
            before, most = look.starts[a, b], look.starts[b, a].most
            said = Bounds(before.value, max(before.low, -most), min(before.high, before.most))
            by = max(said.low - bounds.value, bounds.value - said.high)
            if by > beyond:
                worst, beyond = Contradiction(look.seeds, a, b, said, bounds.value), by
        if worst is not None:
            found.append(worst)
    return found


def _places(which: NDArray[np.bool_]) -> frozenset[int]:
    return frozenset(np.flatnonzero(which).tolist())


def decide(accuracies: Accuracies, looks: Looks, margin: float) -> list[Decision]:
    """The decisions at all looks that the seeds suffice for, the first look first.

    A look takes the first seeds of the accuracies, so that what is decided at it does not depend
    on how many more there are.
    """
    found = []
    supported = claims(accuracies.values, looks, margin, accuracies.step)
    for seeds, spent, at_look in zip(looks.seeds, looks.spent, supported, strict=False):
        found.append(_decision(accuracies.values[..., :seeds], spent, at_look))
    return found


def _decision(values: NDArray[np.float64], spent: float, supported: Claims) -> Decision:
    means = supported.means
    best: list[int | None] = []
    for of_start in means:
        best.append(int(np.nanargmax(of_start)) if np.isfinite(of_start).any() else None)
    return Decision(
        seeds=values.shape[-1],
        spent=spent,
        margin=supported.margin,
        best=tuple(best),
        means=means,
        starts=_of_starts(supported, best),
        pairs=_of_pairs(supported),
        luck=_luck(values, supported),
        chances=np.array([chances(of_start) for of_start in values]),
        claims=supported,
    )


def _luck(values: NDArray[np.float64], supported: Claims) -> NDArray[np.float64]:
    behind = np.asarray(supported.ahead.any(axis=0))
    may_be_best = supported.able & ~supported.worse & ~behind[:, None]
    found = np.full(values.shape[:2], np.nan)
    found[may_be_best] = luck(values[may_be_best])
    return found


def _of_starts(supported: Claims, best: list[int | None]) -> dict[tuple[int, int], Bounds]:
    most, means = supported.starts_most, supported.means
    low = _ends(supported.starts_low, most, np.fmax(most, 0.0), supported.margin)
    found = {}
    for a, b in itertools.permutations(range(len(best)), 2):
        ours, theirs = best[a], best[b]
        if ours is not None and theirs is not None:
            value = float(means[a, ours] - means[b, theirs])
            found[a, b] = Bounds(value, float(low[a, b]), -float(low[b, a]), float(most[a, b]))
    return found


def _of_pairs(supported: Claims) -> dict[tuple[int, int, int], Bounds]:
    most, means = supported.pairs_most, supported.means
    claimed = np.where(most <= supported.margin, np.fmax(most, 0.0), math.inf)
    low = _ends(supported.pairs_low, most, claimed, supported.margin)
    found = {}
    for a, able in enumerate(supported.able):
        for i, j in itertools.permutations(np.flatnonzero(able).tolist(), 2):
            value = float(means[a, i] - means[a, j])
            found[a, i, j] = Bounds(
                value, float(low[a, i, j]), -float(low[a, j, i]), float(most[a, i, j])
            )
    return found


def _ends(
    low: NDArray[np.float64],
    most: NDArray[np.float64],
    told: NDArray[np.float64],
    margin: float,
) -> NDArray[np.float64]:
    """Where the interval of each couple begins.

    Args:
        low: by how much the first is at least ahead.
        most: by how much it is better at most, for the claim that this does not matter.
        told: what of `most` the interval ends at.
        margin: a difference that is no more than this does not matter.
    """
    others, of_others = np.swapaxes(most, -1, -2), np.swapaxes(told, -1, -2)
    is_open = (low <= 0) & (low >= -margin) & (others > margin)
    return np.fmax(np.where(is_open, -others, low), -of_others)
