"""The bounds behind claims: by a count over couples, and over simulated studies whose truth is
known.
"""

import itertools
import math

import numpy as np
import pytest

from headstart.statistics.joint.claims import claims
from headstart.statistics.joint.couples import couples, effective
from headstart.statistics.joint.sequential import grown, late, levels, one_look, until_decided


def test_the_bounds_are_those_of_every_couple_in_turn() -> None:
    """Three starts and two pairs, one of which diverged: counted out with loops."""
    values = np.random.default_rng(0).standard_normal((3, 2, 5))
    values[2, 1, 4] = -math.inf
    able = np.asarray(np.isfinite(values).all(axis=2))
    looks = one_look(5)
    (found,) = claims(values, looks, margin=0.1)
    level = levels(late(looks), 2 * 0.5 / 6 / 2)[0] / 2
    known = np.where(able[..., None], values, 0.0)
    for a, b in itertools.permutations(range(3), 2):
        lows = couples(
            known[a], known[b], able[a][:, None] & able[b], effective(known[a], known[b], 2), 0.0
        ).low(level, 16.0)
        best = [max(lows[able[a], j]) for j in range(2) if able[b, j]]
        assert found.starts_low[a, b] == pytest.approx(min(best))
    assert np.isnan(found.pairs_low[2, [0, 1], [1, 0]]).all()


def test_studies_side_by_side_are_studies_one_by_one() -> None:
    values = np.random.default_rng(0).standard_normal((4, 2, 3, 6))
    together = claims(values, until_decided(4, 6), margin=0.1, step=0.01)
    for study in range(4):
        alone = claims(values[study], until_decided(4, 6), margin=0.1, step=0.01)
        assert together[-1].starts_low[study] == pytest.approx(alone[-1].starts_low, nan_ok=True)
        assert together[-1].pairs_most[study] == pytest.approx(alone[-1].pairs_most, nan_ok=True)
        assert together[-1].where[study] == alone[-1].where


def test_claims_where_nothing_is_level_err_in_five_of_a_hundred_studies_at_most() -> None:
    """Pair 0 is better by just more than the margin from both starts, start 0 likewise: nobody
    else may be called good or no worse, and they may not be called worse or behind.
    """
    true = np.array([[2.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    values = true[..., None] + np.random.default_rng(0).standard_normal((2000, 2, 3, 10))
    last = claims(values, until_decided(3, 10), margin=0.999)[-1]
    wrong = last.good[..., 1:].any(axis=(1, 2)) | last.worse[..., 0].any(axis=1)
    wrong |= last.no_worse[:, 1, 0] | last.ahead[:, 1, 0]
    assert wrong.mean() <= 0.061  # more refute 5 % (binomial, one-sided, 99 %)


def test_pairs_that_share_the_luck_of_their_start_are_worth_one() -> None:
    """Six starts, twelve pairs that are nearly clones, three seeds:
    a start was ahead in 18 % of such studies.
    """
    generator = np.random.default_rng(5)
    shared, each = (
        generator.standard_normal((300, 6, 1, 3)),
        generator.standard_normal((300, 6, 12, 3)),
    )
    (found,) = claims(shared + 0.1 * each, one_look(3), margin=0.25)
    assert found.ahead.any(axis=(1, 2)).mean() < 0.04


def test_one_seed_claims_nothing() -> None:
    (found,) = claims(np.array([[[0.9]], [[0.1]]]), one_look(1), margin=0.01)
    assert not found.where
    assert not found.ahead.any()


def test_a_pair_that_is_run_no_further_stays_worse() -> None:
    values = np.random.default_rng(0).standard_normal((1, 2, 6)) * 0.01
    values[0, 1] -= 1
    values[0, 1, 4:] = np.nan
    last = claims(values, until_decided(4, 6), margin=0.1)[-1]
    assert last.worse[0].tolist() == [False, True]
    assert last.good[0].tolist() == [True, False]


def test_no_bound_excludes_the_mean_beside_it() -> None:
    """A run in ten of one start collapses by 30 points: the first seeds cannot know."""
    generator = np.random.default_rng(2)
    values = 0.95 + 0.001 * generator.standard_normal((300, 2, 1, 20))
    values[:, 1] -= 0.3 * (generator.uniform(size=(300, 1, 20)) < 0.1)
    last = claims(values, until_decided(3, 20), margin=0.005, step=0.001)[-1]
    lead = last.means[:, 0, 0] - last.means[:, 1, 0]
    assert (last.starts_low[:, 0, 1] <= lead).all()
    assert (lead <= last.starts_most[:, 0, 1]).all()
    assert (lead <= -last.starts_low[:, 1, 0]).all()


def test_two_starts_that_were_each_ahead_are_not_told_apart() -> None:
    """The first three seeds say 10 points for the one, all forty 18 for the other."""
    values = 0.4 + 0.0005 * np.random.default_rng(0).standard_normal((2, 2, 40))
    values[0] += 0.1
    values[1, :, 3:] += 0.3
    looks = grown(one_look(3), tuple(range(4, 41)))
    first, *_, last = claims(values, looks, margin=0.005, step=0.001)
    assert first.ahead[0, 1]
    assert not last.ahead.any()
    assert not last.no_worse.any()
    assert not last.where
    assert last.hopeless


def test_where_nothing_of_the_error_is_left_there_is_no_hope() -> None:
    values = np.random.default_rng(0).standard_normal((2, 2, 40))
    values[1] += 0.5
    looks = grown(until_decided(3, 5), tuple(range(6, 41)))
    last = claims(values, looks, margin=0.01)[-1]
    assert not last.where
    assert last.hopeless


def test_what_will_hardly_be_decided_is_hopeless() -> None:
    """Two starts that differ by far less than they vary, and a margin that is smaller still."""
    values = np.random.default_rng(0).standard_normal((500, 2, 1, 20))
    values[:, 0] += 0.2
    found = claims(values, until_decided(3, 20), margin=0.01)
    given_up = np.array([look.hopeless for look in found])
    decided = found[-1].where
    assert given_up[:5].mean() < 0.01
    assert given_up[9].mean() > 0.2
    assert (given_up[9] & decided).sum() < 0.02 * decided.sum()
    assert not (given_up & np.array([look.where for look in found])).any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "exponential", "still exponential", "unequal", "t3"])
@pytest.mark.parametrize(("starts", "pairs"), [(2, 1), (3, 1), (2, 4)])
def test_whoever_stops_when_errs_in_five_of_a_hundred_studies_at_most(
    kind: str, starts: int, pairs: int
) -> None:
    generator = np.random.default_rng(0)
    shape = (2000, starts, pairs, 20)
    values = generator.standard_normal(shape)
    if kind.endswith("exponential"):
        values = 1 - generator.exponential(size=shape)
    if kind == "t3":
        values = generator.standard_t(3, shape)
    if kind == "unequal":
        values *= 10 ** generator.uniform(size=(2000, starts, pairs, 1))
    if kind.startswith("still"):
        values[:, 0] = 0.0
    last = claims(values, until_decided(3, 20), margin=0.25)[-1]
    wrong = last.ahead.any(axis=(1, 2)) | last.worse.any(axis=(1, 2))
    assert wrong.mean() <= 0.061  # more refute 5 % (binomial, one-sided, 99 %)
