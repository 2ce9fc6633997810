"""What cells have in common by seed, and the test of equal variances."""

import numpy as np
import pytest
from scipy import stats

from headstart.statistics import effects


def generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=7))


def test_spread_is_by_seed() -> None:
    found = effects.spread([{0: 1.0, 1: 5.0}, {0: 3.0, 1: 5.0, 2: 9.0}])
    assert found == pytest.approx({0: np.sqrt(2), 1: 0.0})
    assert effects.spread([{0: 1.0}]) == {}


def test_slope_of_a_line_is_its_slope() -> None:
    x = [0.0, 1.0, 2.5]
    assert effects.slope(x, [{3: 4 - 0.25 * v} for v in x]) == pytest.approx({3: -0.25})
    assert effects.slope([1.0], [{3: 1.0}]) == {}


def test_mean_over_common_seeds() -> None:
    assert effects.mean_over([{0: 1.0, 1: 2.0}, {1: 4.0}]) == {1: 3.0}
    assert effects.mean_over([]) == {}


def test_equal_spread_is_the_test_of_pitman_and_morgan() -> None:

    generator = np.random.Generator(np.random.Philox(key=3))
    a, b = generator.standard_normal((2, 9))
    assert effects.equal_spread(a, b) == pytest.approx(stats.pearsonr(a + b, a - b).pvalue)
    assert effects.equal_spread([1, 2, 3], [2, 3, 4]) is None  # the difference does not vary
    assert effects.equal_spread([1, 2], [5, 3]) is None
    assert effects.equal_spread([1, 2, 3], [2, 4, 6]) is None  # sums and differences vary together


def test_equal_spread_errs_as_often_as_it_says_and_sees_what_is_there() -> None:
    generator = np.random.Generator(np.random.Philox(key=4))
    shared, own_a, own_b = generator.standard_normal((3, 1500, 9))

    def rejected(factor: float) -> float:
        couples = zip(shared + own_a, factor * (shared + own_b), strict=True)
        found = [effects.equal_spread(a, b) for a, b in couples]
        return float(np.mean([p is not None and p < 0.05 for p in found]))

    assert 0.035 < rejected(1.0) < 0.065
    assert rejected(4.0) > 0.95
