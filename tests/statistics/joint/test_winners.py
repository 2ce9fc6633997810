"""The luck of winners and the chances to be best, by hand and over simulated studies."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.statistics.joint.winners import chances, luck


def highest_less_luck(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest mean of each study [S, C, N], less what of it would be luck."""
    found = []
    for of_study in values:
        means = of_study.mean(axis=1)
        found.append(means.max() - luck(of_study)[means.argmax()])
    return np.array(found)


@pytest.mark.parametrize(("many", "seeds"), [(2, 3), (8, 3), (24, 3), (24, 5), (24, 10)])
def test_of_equal_means_the_highest_is_as_much_too_high_as_is_said(many: int, seeds: int) -> None:
    """With a standard deviation of 2 points: the mean of 24 is 2.2 too high at three seeds."""
    values = 2 * np.random.default_rng(0).standard_normal((2000, many, seeds))
    assert abs(highest_less_luck(values).mean()) < 0.3
    assert values.mean(axis=-1).max(axis=1).mean() > 0.6


def test_luck_that_all_share_is_no_luck_of_one() -> None:
    generator = np.random.default_rng(0)
    shared = 2 * generator.standard_normal((1000, 1, 5))
    values = shared + 0.2 * generator.standard_normal((1000, 12, 5))
    assert abs(highest_less_luck(values).mean()) < 0.1


@pytest.mark.parametrize("seeds", [3, 6, 20])
def test_a_pair_that_varies_little_owes_little_to_luck(seeds: int) -> None:
    """One varies by .3 points and the other by 11: it is the one that varies which leads by
    luck.
    """
    drawn = np.random.default_rng(0).standard_normal((500, 2, seeds))
    by: dict[int, list[float]] = {0: [], 1: []}
    over: dict[int, list[float]] = {0: [], 1: []}
    for values in drawn * np.array([[0.3], [11.0]]):
        leads = int(values.mean(axis=1).argmax())
        by[leads].append(luck(values)[leads])
        over[leads].append(values[leads].mean())
    assert max(by[0]) < 0.3
    assert np.mean(by[1]) == pytest.approx(np.mean(over[1]), rel=0.3)


def test_of_one_nothing_is_luck_and_nor_is_without_spread() -> None:
    assert luck(np.array([[0.5, 0.6]])).tolist() == [0.0]
    assert luck(np.array([[0.5, 0.5], [0.5, 0.5]])) == pytest.approx([0.0, 0.0])


def test_one_that_is_far_better_is_the_best() -> None:
    values = np.random.default_rng(0).standard_normal((5, 4))
    values[3] += 100
    assert chances(values)[3] > 0.95


def test_equal_pairs_have_equal_chances() -> None:
    """The one of twelve that is printed as best has 15 %, and would have 60 % by a bootstrap."""
    generator = np.random.default_rng(0)
    tops = [chances(generator.standard_normal((12, 3))).max() for _ in range(100)]
    assert np.mean(tops) < 0.2


def test_what_cannot_be_used_has_no_chance() -> None:
    values = np.array([[0.5, 0.6], [-math.inf, 0.6], [np.nan, np.nan]])
    assert chances(values).tolist() == [1.0, 0.0, 0.0]
