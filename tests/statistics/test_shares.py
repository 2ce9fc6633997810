"""Wilson's interval against scipy's."""

import pytest
from scipy import stats

from headstart.statistics.shares import wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (0, 30), (1, 3), (17, 3400), (99, 100), (5, 5)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_that_of_scipy(successes: int, trials: int, level: float) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(level, "wilson")
    assert wilson(successes, trials, level) == pytest.approx((expected.low, expected.high), abs=1e-14)
