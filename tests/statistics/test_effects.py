"""What cells have in common by seed."""

import pytest

from headstart.statistics import effects


def test_slope_of_a_line_is_its_slope() -> None:
    x = [0.0, 1.0, 2.5]
    assert effects.slope(x, [{3: 4 - 0.25 * v} for v in x]) == pytest.approx({3: -0.25})
    assert effects.slope([1.0], [{3: 1.0}]) == {}


def test_the_mean_of_no_seed_is_none() -> None:
    assert effects.mean({3: 1.0, 5: 4.0}) == 2.5
    assert effects.mean({}) is None


def test_mean_over_common_seeds() -> None:
    assert effects.mean_over([{0: 1.0, 1: 2.0}, {1: 4.0}]) == {1: 3.0}
    assert effects.mean_over([]) == {}
