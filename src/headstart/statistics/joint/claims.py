"""The claims that final accuracies support at each look, for many studies at once.

All claims of a study are read off bounds that hold together: over its starts, its pairs and its
looks, all of them are true in 95 % of studies, whoever stops when. So what was claimed at one look
stands at the next, as long as the mean of all seeds does not lie beyond it: a bound that the mean
has left is not used any more, and of two that exclude each other neither is.

Starts are compared by what would be deployed, each with its best pair. Which pair that is need not
be known: the best of a is ahead of the best of b by more than d where for every pair of b there is
one of a that is ahead of it by more than d. Of the pairs of a one errs only where it is ahead by
chance of the best of b: as many tests as a has pairs.

How many claims can be wrong together is counted, not guessed. With P pairs of which m are best, one
of the best is called worse by m (P - 1) tests, and one that is not best is called good by P - m
tests against one of the best; those tests are among the former. So where the former have the share
1 / (P (P - 1)) of the error and the latter 1 / (P - 1), the sum is 1 for every m. Of two starts
that are level both may be called ahead, of two that are not only one may be called no worse: twice
the share. That one is no worse ends a study; that it is ahead does not, and spends its error late.
Where several comparisons share the error, those that end a study keep half of it for the last
looks.

Sources: Jennison and Turnbull, Group Sequential Methods (2000), chapter 9, repeated intervals; Hsu,
Ann. Statist. 9 (1981), comparisons with the best; Bonferroni's inequality.

Shapes: `...` studies, A starts, P pairs, N seeds, C = A P cells.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.couples import couples, effective
from headstart.statistics.joint.sequential import Looks, held_back, late, levels

OF_STARTS, OF_PAIRS = 0.5, 0.5
"""The shares of the error that claims on starts and claims on pairs have, where both are made."""

ENOUGH_TO_END, ENOUGH = 8.0, 16.0
"""The seeds, less one, from which a bound has its whole level: one that can end a study, and
others. Ours, from simulated studies with exponential noise.
"""

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Claims:
    """What may be claimed at one look.

    margin: a difference that is no more than this does not matter. means [..., A, P]: NaN where a
    pair cannot be used from a start, or was not run. starts_low [..., A, A]: by how much the best
    of the first is at least ahead of the best of the second. starts_most: by how much at most,
    where nothing else is claimed of the two. starts_hope: what this will hardly fall below after
    all looks. pairs_low, pairs_most, pairs_hope [..., A, P, P]: the same of two pairs from a start.
    """

    margin: float
    means: Floats
    starts_low: Floats
    starts_most: Floats
    pairs_low: Floats
    pairs_most: Floats
    starts_hope: Floats
    pairs_hope: Floats

    @property
    def able(self) -> Truths:
        """Whether a pair can be used from a start, and was run [..., A, P]."""
        return np.asarray(np.isfinite(self.means))

    @property
    def leader(self) -> NDArray[np.int_]:
        """The start whose best pair has the highest mean [...]; 0 where none can be used."""
        tops = np.where(self.able, self.means, -math.inf).max(axis=-1)
        return np.asarray(tops.argmax(axis=-1))

    @property
    def ahead(self) -> Truths:
        """Whether the first start is ahead of the second [..., A, A]."""
        return self.starts_low > 0

    @property
    def no_worse(self) -> Truths:
        """Whether the second start is ahead of the first by the margin at most [..., A, A]."""
        return np.swapaxes(self.starts_most, -1, -2) <= self.margin

    @property
    def good(self) -> Truths:
        """Whether no other pair is better than this by more than the margin [..., A, P]."""
        return self._good(self.pairs_most)

    @property
    def worse(self) -> Truths:
        """Whether some other pair is ahead of this [..., A, P]."""
        return np.asarray((self.pairs_low > 0).any(axis=-2))

    @property
    def where(self) -> Truths:
        """Whether no start is better than the leader by more than the margin [...]."""
        return self._where(self.starts_most)

    @property
    def which(self) -> Truths:
        """Whether some pair of the leader is good [...]."""
        return np.asarray(_of_leader(self.good, self.leader).any(axis=-1))

    @property
    def hopeless(self) -> Truths:
        """Whether all that is not decided will most likely not be after all looks [...]."""
        good = self._good(self.pairs_hope)
        where = self.where | ~self._where(self.starts_hope)
        which = self.which | ~_of_leader(good, self.leader).any(axis=-1)
        return np.asarray(where & which & ~(self.where & self.which))

    def _good(self, most: Floats) -> Truths:
        small = (most <= self.margin) | ~self.able[..., :, None]
        itself = np.eye(small.shape[-1], dtype=bool)
        return np.asarray(self.able & (small | itself).all(axis=-2))

    def _where(self, most: Floats) -> Truths:
        usable = np.asarray(self.able.any(axis=-1))
        ours = _of_leader(np.swapaxes(most, -1, -2) <= self.margin, self.leader)
        is_leader = np.arange(usable.shape[-1]) == self.leader[..., None]
        decided = (ours | ~usable | is_leader).all(axis=-1)
        return np.asarray(usable.any(axis=-1) & decided)


def _of_leader(values: Truths, leader: NDArray[np.int_]) -> Truths:
    """The rows [..., A] that belong to the leading start."""
    return np.take_along_axis(values, leader[..., None, None], axis=-2)[..., 0, :]


def claims(values: Floats, looks: Looks, margin: float, step: float = 0.0) -> list[Claims]:
    """The claims at all looks that the seeds suffice for, the first look first.

    Args:
        values: final accuracies [..., A, P, N] in the order of seeds. NaN: not run. -inf: the run
            diverged, and its pair cannot be used from its start.
        looks: the looks, planned and taken.
        margin: a difference that is no more than this does not matter.
        step: the smallest difference that accuracy can show.
    """
    own: list[Claims] = []
    for place, seeds in enumerate(looks.seeds):
        if seeds <= values.shape[-1]:
            own.append(at_look(values[..., :seeds], looks, place, margin, step))
    return [_standing(own[: look + 1]) for look in range(len(own))]


def at_look(values: Floats, looks: Looks, place: int, margin: float, step: float) -> Claims:
    """What one look by itself supports.

    Args:
        values: final accuracies [..., A, P, N] of the seeds that the look takes, as in `claims`.
        looks: the looks, planned and taken.
        place: that of the look among them.
        margin: a difference that is no more than this does not matter.
        step: the smallest difference that accuracy can show.
    """
    n_starts, n_pairs = values.shape[-3:-1]
    able: Truths = np.asarray(np.isfinite(values).all(axis=-1))
    known = np.where(able[..., None], values, 0.0)
    of_starts, of_pairs = OF_STARTS, OF_PAIRS
    if n_starts == 1 or n_pairs == 1:
        of_starts = of_pairs = 1.0
    starts_low = np.full((*values.shape[:-3], n_starts, n_starts), np.nan)
    starts_most, starts_hope = starts_low.copy(), starts_low.copy()
    pairs_low = np.full((*values.shape[:-3], n_starts, n_pairs, n_pairs), np.nan)
    pairs_most, pairs_hope = pairs_low.copy(), pairs_low.copy()
    end = looks.seeds[-1]
    share = of_starts / max(n_starts * (n_starts - 1), 1) / n_pairs
    ending = _ending(looks, 2 * share)
    ahead, most = _level(late(looks), place, share), _level(ending, place, 2 * share)
    at_end = _level(ending, -1, 2 * share)
    for a, b in itertools.combinations(range(n_starts), 2):
        usable = able[..., a, :], able[..., b, :]
        both = usable[0][..., :, None] & usable[1][..., None, :]
        ours, theirs = known[..., a, :, :], known[..., b, :, :]
        forth = couples(ours, theirs, both, effective(ours, theirs, n_pairs), step)
        starts_low[..., a, b] = _best(forth.low(ahead, ENOUGH), *usable)
        starts_most[..., b, a] = -_best(forth.low(most, ENOUGH_TO_END), *usable)
        starts_hope[..., b, a] = -_best(forth.hoped(at_end, ENOUGH_TO_END, end), *usable)
        back = forth.turned()
        starts_low[..., b, a] = _best(back.low(ahead, ENOUGH), *usable[::-1])
        starts_most[..., a, b] = -_best(back.low(most, ENOUGH_TO_END), *usable[::-1])
        starts_hope[..., a, b] = -_best(back.hoped(at_end, ENOUGH_TO_END, end), *usable[::-1])
    share = of_pairs / n_starts / max(n_pairs - 1, 1)
    ending = _ending(looks, share)
    worse, good = _level(late(looks), place, share / n_pairs), _level(ending, place, share)
    at_end = _level(ending, -1, share)
    for a in range(n_starts if n_pairs > 1 else 0):
        both = able[..., a, :, None] & able[..., a, None, :] & ~np.eye(n_pairs, dtype=bool)
        within = couples(known[..., a, :, :], known[..., a, :, :], both, n_pairs - 1, step)
        pairs_low[..., a, :, :] = np.where(both, within.low(worse, ENOUGH), np.nan)
        most_of = -np.swapaxes(within.low(good, ENOUGH_TO_END), -1, -2)
        pairs_most[..., a, :, :] = np.where(both, most_of, np.nan)
        hope_of = -np.swapaxes(within.hoped(at_end, ENOUGH_TO_END, end), -1, -2)
        pairs_hope[..., a, :, :] = np.where(both, hope_of, np.nan)
    means = np.where(able, known.mean(axis=-1), np.nan)
    return Claims(
        margin, means, starts_low, starts_most, pairs_low, pairs_most, starts_hope, pairs_hope
    )


def _ending(looks: Looks, share: float) -> Looks:
    """The looks as claims spend that can end a study, each with this share of the error."""
    return looks if share >= 1 else held_back(looks)


def _level(looks: Looks, place: int, share: float) -> float:
    """The one-sided level of a bound with this share of the error."""
    return levels(looks, 2 * share)[place] / 2


def _best(lows: Floats, able: Truths, rivals: Truths) -> Floats:
    """By how much the best of ours is ahead of the best of theirs [...], from the bounds of all
    couples [..., P, P]; NaN where one of them has no pair that can be used.
    """
    ours = np.where(able[..., :, None], lows, -math.inf).max(axis=-2)
    theirs = np.where(rivals, ours, math.inf).min(axis=-1)
    return np.where(able.any(axis=-1) & rivals.any(axis=-1), theirs, np.nan)


def _standing(own: list[Claims]) -> Claims:
    """What may be claimed after a look, from its own bounds and those of the looks before it."""
    now = own[-1]
    tops = np.where(now.able, now.means, -math.inf).max(axis=-1)
    tops = np.where(np.isfinite(tops), tops, np.nan)
    lead = tops[..., :, None] - tops[..., None, :]
    behind: Truths = np.asarray(np.any([it.ahead.any(axis=-2) for it in own], axis=0))
    known = behind[..., :, None] | behind[..., None, :]  # one of them may be run no further
    gone = np.isnan(lead) & ~known  # all pairs of a start have diverged since
    low, most, hope = _left(
        [it.starts_low for it in own], [it.starts_most for it in own], now.starts_hope, lead
    )
    lead = now.means[..., :, None] - now.means[..., None, :]
    of_pairs = _left(
        [it.pairs_low for it in own], [it.pairs_most for it in own], now.pairs_hope, lead
    )
    return Claims(
        margin=now.margin,
        means=now.means,
        starts_low=np.where(gone, np.nan, low),
        starts_most=np.where(gone, np.nan, most),
        pairs_low=of_pairs[0],
        pairs_most=of_pairs[1],
        starts_hope=hope,
        pairs_hope=of_pairs[2],
    )


def _left(
    lows: list[Floats], mosts: list[Floats], hope: Floats, lead: Floats
) -> tuple[Floats, Floats, Floats]:
    """The bounds `low` and `most` that are left of those of all looks, and the hope.

    Args:
        lows: of all looks.
        mosts: likewise.
        hope: of the last of them.
        lead: the differences of its means.
    """
    low, most = lows[-1], mosts[-1]
    for before in lows[:-1]:
        low = np.fmax(low, np.where(before > lead, np.nan, before))
    for before in mosts[:-1]:
        most = np.fmin(most, np.where(before < lead, np.nan, before))
    least, highest = np.fmax.reduce(lows), np.fmin.reduce(mosts)
    empty = least > np.fmin(highest, -np.swapaxes(least, -1, -2))
    empty |= np.swapaxes(empty, -1, -2)
    hope = np.where(empty, math.inf, np.fmin(hope, most))
    return np.where(empty, -math.inf, low), np.where(empty, math.inf, most), hope
