"""What the final accuracies of a study support at each of its looks.

All claims of a study are read off intervals that hold together: over its starts, its pairs and its
looks, all of them are true in 95 % of studies, whoever stops when. A start is ahead where the
interval of the difference lies above 0; two are level where it lies within the margin; a pair is
good where no other is better by more than the margin. So a claim that was made at one look is not
taken back at the next.

Starts are compared by what would be deployed, each with its best pair. Which pair that is need not
be known: the best of a is ahead of the best of b by more than d where for every pair of b there is
one of a that is ahead of it by more than d. Of the pairs of a one errs only where it is ahead by
chance of the best of b: as many tests as a has pairs.

Sources: Jennison and Turnbull, Group Sequential Methods (2000), chapter 9, repeated intervals; Hsu,
Ann. Statist. 9 (1981), comparisons with the best; Bonferroni's inequality.

Shapes: A starts, P pairs, N seeds.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headstart.statistics.sequential import Looks, levels

OF_STARTS, OF_PAIRS = 0.5, 0.5
"""The shares of the error that claims on starts and claims on pairs have, where both are made."""


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
    """A difference and the interval that it lies in."""

    value: float
    low: float = -math.inf
    high: float = math.inf

    def within(self, other: "Bounds") -> "Bounds":
        """This estimate, in both intervals."""
        return Bounds(self.value, max(self.low, other.low), min(self.high, other.high))


@dataclass(frozen=True)
class Decision:
    """What may be claimed at one look. Starts and pairs are places in the accuracies.

    seeds, spent: the seeds looked at and the error spent so far; margin: a difference that is no
    more than this does not matter. best: of each start the pair with the highest mean, None where
    all diverged. starts: (a, b) -> the best of a less the best of b. pairs: (a, i, j) -> pair i
    less pair j, both from a.
    """

    seeds: int
    spent: float
    margin: float
    best: tuple[int | None, ...]
    means: NDArray[np.float64] = field(repr=False)  # [A, P]; NaN where it cannot be used
    starts: Mapping[tuple[int, int], Bounds] = field(repr=False)
    pairs: Mapping[tuple[int, int, int], Bounds] = field(repr=False)

    @cached_property
    def leader(self) -> int | None:
        """The start whose best pair has the highest mean."""
        able = [a for a, best in enumerate(self.best) if best is not None]
        return max(able, key=lambda a: self.means[a, self.best[a]], default=None)

    @cached_property
    def behind(self) -> frozenset[int]:
        """The starts that some other is ahead of."""
        return frozenset(b for (_, b), bounds in self.starts.items() if bounds.low > 0)

    def no_worse(self, a: int) -> frozenset[int]:
        """The starts that are ahead of `a` by the margin at most."""
        found = [b for (b, it), bounds in self.starts.items() if it == a and self._small(bounds)]
        return frozenset(found)

    def good(self, a: int) -> frozenset[int]:
        """The pairs of a start than which no other is better by more than the margin."""
        return self._able(a) - {
            j for (at, _, j), bounds in self.pairs.items() if at == a and not self._small(bounds)
        }

    def worse(self, a: int) -> frozenset[int]:
        """The pairs of a start that some other is ahead of."""
        return frozenset(j for (at, _, j), it in self.pairs.items() if at == a and it.low > 0)

    def _able(self, a: int) -> frozenset[int]:
        return frozenset(np.flatnonzero(np.isfinite(self.means[a])).tolist())

    def _small(self, bounds: Bounds) -> bool:
        return bounds.high <= self.margin

    @property
    def where(self) -> bool:
        """Whether it is decided where to begin: no other start is better than the leader by more
        than the margin.
        """
        if self.leader is None:
            return False
        others = {a for a, best in enumerate(self.best) if best is not None} - {self.leader}
        return self.no_worse(self.leader) >= others

    @property
    def which(self) -> bool:
        """Whether it is decided with what: some pair of the leader is good."""
        return self.leader is not None and bool(self.good(self.leader))


def decide(accuracies: Accuracies, looks: Looks, margin: float) -> list[Decision]:
    """The decisions at all looks that the seeds suffice for, the first look first.

    A look takes the first seeds of the accuracies, so that what is decided at it does not depend
    on how many more there are.
    """
    n_seeds = accuracies.values.shape[2]
    found: list[Decision] = []
    for place, seeds in enumerate(looks.seeds):
        if seeds <= n_seeds:
            found.append(_decision(accuracies, looks, place, margin, found[-1:]))
    return found


def _decision(
    accuracies: Accuracies, looks: Looks, place: int, margin: float, before: list[Decision]
) -> Decision:
    seeds = looks.seeds[place]
    values = accuracies.values[:, :, :seeds]
    means = np.where(np.isfinite(values).all(axis=2), values.mean(axis=2), np.nan)
    best: list[int | None] = []
    for of_start in means:
        best.append(int(np.nanargmax(of_start)) if np.isfinite(of_start).any() else None)
    n_starts, n_pairs = means.shape
    couples = math.comb(n_starts, 2)
    of_starts, of_pairs = OF_STARTS, OF_PAIRS
    if couples == 0 or n_pairs == 1:
        of_starts = of_pairs = 1.0
    starts: dict[tuple[int, int], Bounds] = {}
    for a, b in itertools.permutations(range(n_starts), 2):
        if best[a] is None or best[b] is None:
            continue
        value = float(means[a, best[a]] - means[b, best[b]])
        level = levels(looks, of_starts / couples / n_pairs)[place]
        low = _ahead(values[a], values[b], level, accuracies.step)
        high = -_ahead(values[b], values[a], level, accuracies.step)
        starts[a, b] = Bounds(value, low, high)
    pairs: dict[tuple[int, int, int], Bounds] = {}
    if n_pairs > 1:
        level = levels(looks, of_pairs / n_starts / math.comb(n_pairs, 2))[place]
        for a in range(n_starts):
            able = np.flatnonzero(np.isfinite(means[a])).tolist()
            for i, j in itertools.permutations(able, 2):
                value, half = _interval(values[a, i] - values[a, j], level, accuracies.step)
                pairs[a, i, j] = Bounds(value, value - half, value + half)
    if before:
        starts = {key: it.within(before[0].starts.get(key, it)) for key, it in starts.items()}
        pairs = {key: it.within(before[0].pairs.get(key, it)) for key, it in pairs.items()}
    return Decision(seeds, looks.spent[place], margin, tuple(best), means, starts, pairs)


def _ahead(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], level: float, step: float
) -> float:
    """By how much the best of our pairs [P, n] is at least ahead of the best of theirs."""
    able, rivals = (pairs[np.isfinite(pairs).all(axis=1)] for pairs in (ours, theirs))
    lows = []
    for rival in rivals:
        value, half = _interval(able - rival, level, step)
        lows.append(float(np.max(value - half)))
    return min(lows)


def _interval(differences: NDArray[np.float64], level: float, step: float) -> tuple[float, float]:
    """The means of differences by seed [..., n], and half the width of their intervals."""
    n = differences.shape[-1]
    deviation = np.maximum(differences.std(axis=-1, ddof=1), step / 2)
    critical = special.stdtrit(n - 1, 1 - level / 2) if level > 0 else math.inf
    return differences.mean(axis=-1), critical * deviation / math.sqrt(n)
