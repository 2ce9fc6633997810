"""The estimates of winners and the chances to be best, by hand and over simulated studies."""

import math

import numpy as np
import pytest

from headstart.statistics.joint.winners import chances, estimates


def test_a_seed_that_is_left_out_gives_what_stands_at_a_place() -> None:
    """Pair 0 leads on seeds 0 and 2, so that seed 1 has 0 for the first place."""
    values = np.array([[[5.0, 0.0, 3.0], [3.0, 3.0, 3.0]]])
    by_place = [(3.0 + 0.0 + 3.0) / 3, (5.0 + 3.0 + 3.0) / 3]
    assert estimates(values)[0, [1, 0]] == pytest.approx(by_place)


def test_the_best_of_twelve_equal_pairs_is_not_printed_too_high() -> None:
    """From two starts, three seeds, a standard deviation of 2 points: the mean is 2.2 too high."""
    values = 2 * np.random.default_rng(0).standard_normal((4000, 2, 12, 3))
    winner = values.mean(axis=-1).reshape(4000, -1).argmax(axis=1)
    printed = estimates(values).reshape(4000, -1)[np.arange(4000), winner]
    assert values.mean(axis=-1).max(axis=(1, 2)).mean() > 2.1
    assert abs(printed.mean()) < 0.1


def test_one_that_is_far_better_has_its_own_mean() -> None:
    values = np.random.default_rng(0).standard_normal((1, 5, 4))
    values[0, 3] += 100
    assert estimates(values)[0, 3] == pytest.approx(values[0, 3].mean())
    assert chances(values[0])[3] > 0.95


def test_equal_pairs_have_equal_chances() -> None:
    """The one of twelve that is printed as best has 15 %, and would have 60 % by a bootstrap."""
    generator = np.random.default_rng(0)
    tops = [chances(generator.standard_normal((12, 3))).max() for _ in range(100)]
    assert np.mean(tops) < 0.2


def test_what_cannot_be_used_has_no_estimate_and_no_chance() -> None:
    values = np.array([[[0.5, 0.6], [-math.inf, 0.6], [np.nan, np.nan]]])
    assert estimates(values)[0] == pytest.approx([0.55, np.nan, np.nan], nan_ok=True)
    assert chances(values[0]).tolist() == [1.0, 0.0, 0.0]
