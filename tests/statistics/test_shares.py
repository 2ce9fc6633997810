"""Wilson's interval against scipy's, and Fieller's against the t test that it inverts."""

import numpy as np
import pytest
from scipy import stats

from headstart.statistics.shares import ratio_interval, wilson


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 1), (0, 30), (1, 3), (17, 3400), (99, 100), (5, 5)]
)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_that_of_scipy(successes: int, trials: int, level: float) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(level, "wilson")
    assert wilson(successes, trials, level) == pytest.approx(
        (expected.low, expected.high), abs=1e-14
    )


DRAW = np.random.Generator(np.random.Philox(key=11))


@pytest.mark.parametrize("n", [2, 3, 10])
def test_at_the_ends_of_a_ratio_students_test_is_at_its_level(n: int) -> None:
    b = DRAW.normal(5, 0.2, n)
    a = 0.7 * b + DRAW.normal(0, 0.3, n)
    found = ratio_interval(list(a), list(b))
    assert found is not None
    low, high = found
    assert low < a.mean() / b.mean() < high
    for end in found:
        assert stats.ttest_1samp(a - end * b, 0).pvalue == pytest.approx(0.05, abs=1e-9)
    assert stats.ttest_1samp(a - (low + high) / 2 * b, 0).pvalue > 0.05


def test_a_gap_that_is_not_told_from_zero_has_no_interval() -> None:
    assert ratio_interval([1.0, 2.0, 3.0], [-1.0, 0.5, 1.0]) is None
    assert ratio_interval([1.0], [2.0]) is None


def test_the_ratio_is_covered_as_often_as_it_says() -> None:
    covered = 0
    for _ in range(2000):
        b = DRAW.normal(4, 0.5, 3)
        found = ratio_interval(list(0.6 * b + DRAW.normal(0, 0.4, 3)), list(b))
        covered += found is None or found[0] <= 0.6 <= found[1]
    assert 0.935 < covered / 2000 < 0.965
