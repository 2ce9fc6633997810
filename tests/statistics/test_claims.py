"""The bounds behind claims: by a count over couples, and over simulated studies whose truth is known."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from headstart.statistics.claims import claims
from headstart.statistics.sequential import levels, one_look, until_decided


def test_the_bounds_are_those_of_every_couple_in_turn() -> None:
    """Three starts and two pairs, one of which diverged: counted out with loops."""
    values = np.random.default_rng(0).standard_normal((3, 2, 5))
    values[2, 1, 4] = -math.inf
    looks = one_look(5)
    (found,) = claims(values, looks, margin=0.1)
    ahead, worse = _critical(0.5 / 6 / 2), _critical(0.5 / 3 / 2)
    for a, b in itertools.permutations(range(3), 2):
        lows = [max(_low(i - j, ahead) for i in _able(values[a])) for j in _able(values[b])]
        assert found.starts_low[a, b] == pytest.approx(min(lows))
    for a in range(2):
        assert found.pairs_low[a, 0, 1] == pytest.approx(_low(values[a, 0] - values[a, 1], worse))
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


def _able(pairs: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [pair for pair in pairs if np.isfinite(pair).all()]


def _low(differences: NDArray[np.float64], critical: float) -> float:
    return float(differences.mean() - critical * differences.std(ddof=1) / math.sqrt(len(differences)))


def _critical(share: float) -> float:
    return float(special.stdtrit(4, 1 - levels(one_look(5), 2 * share)[0] / 2))
