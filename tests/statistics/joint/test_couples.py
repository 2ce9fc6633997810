"""Couples of pairs against their differences, one by one, and Hall's cubic put into its
equation.
"""

import math

import numpy as np
import pytest
from scipy import special, stats

from headstart.statistics.joint.couples import SKEWNESS, couples, effective
from headstart.statistics.joint.moderated import moderated


def test_a_couple_has_the_mean_the_error_and_the_skewness_of_its_differences() -> None:
    ours, theirs = np.random.default_rng(0).standard_normal((2, 3, 6))
    found = couples(ours, theirs, np.ones((3, 3), dtype=bool), 3, step=0.0)
    differences = ours[:, None] - theirs[None]
    variance, freedom = moderated(
        differences.var(axis=-1, ddof=1), np.ones((3, 3), dtype=bool), 5, 3
    )
    assert found.value == pytest.approx(differences.mean(axis=-1))
    assert found.error == pytest.approx(np.sqrt(variance / 6))
    assert found.freedom == pytest.approx(freedom)
    cubes = ((differences - differences.mean(axis=-1, keepdims=True)) ** 3).mean(axis=-1)
    assert found.skewness == pytest.approx(cubes / variance**1.5)
    assert found.turned().value == pytest.approx(-found.value.T)


def test_what_is_steadily_so_has_the_floor_of_a_step() -> None:
    found = couples(
        np.full((1, 4), 0.75), np.full((1, 4), 0.5), np.ones((1, 1), dtype=bool), 1, step=0.01
    )
    assert found.error == pytest.approx(0.005 / 2)
    assert found.low(0.025) == pytest.approx(0.25 - special.stdtrit(3, 0.975) * 0.0025)


def test_the_bound_solves_halls_equation() -> None:
    values = np.array([[0.9, 1.1, 1.0, 1.2, -3.0]])
    found = couples(values, np.zeros((1, 5)), np.ones((1, 1), dtype=bool), 1, step=0.0)
    skewness = stats.skew(values[0]) * (4 / 5) ** 1.5
    a = SKEWNESS * skewness / 3
    t = ((found.value - found.low(0.01)) / found.error).item()
    left = t + a * t**2 / math.sqrt(5) + a**2 * t**3 / 15 + a / (2 * math.sqrt(5))
    assert left == pytest.approx(special.stdtrit(4, 0.99))


def test_a_long_tail_above_makes_no_bound_bolder() -> None:
    values = -np.array([[0.9, 1.1, 1.0, 1.2, -3.0]])
    found = couples(values, np.zeros((1, 5)), np.ones((1, 1), dtype=bool), 1, step=0.0)
    plain = found.value - special.stdtrit(4, 0.99) * found.error
    assert found.low(0.01) == pytest.approx(plain, rel=1e-5)


def test_pairs_count_as_many_variances_as_they_are_worth() -> None:
    """Clones count as one, independent pairs as nearly all;
    a start that hardly varies says little.
    """
    generator = np.random.default_rng(0)
    apart = generator.standard_normal((200, 12, 10))
    clones = np.repeat(generator.standard_normal((200, 1, 10)), 12, axis=1)
    assert effective(clones, clones, 12) == pytest.approx(1)
    assert np.median(effective(apart, apart, 12)) > 11
    assert np.median(effective(apart, 0.001 * clones, 12)) > 11
    assert 2 < np.median(effective(apart, clones, 12)) < 5
