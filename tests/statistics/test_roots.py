"""Roots are those of scipy, to the bit."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize

from headstart.statistics.roots import root


def drawn(seed: int) -> tuple[Callable[[float], float], float, float]:
    """A cubic, an exponential or a step, and two numbers between which it changes its sign."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    at, slope, bend = draw.uniform(-3, 3), draw.uniform(0.01, 5), draw.uniform(0, 5)
    scale = 10.0 ** draw.integers(-6, 6)
    kinds: list[Callable[[float], float]] = [
        lambda x: scale * ((x - at) ** 3 * bend + (x - at) * slope),
        lambda x: scale * math.expm1(slope * (x - at)),
        lambda x: scale if x > at else -scale,
        lambda x: scale * (at - x) ** 9,
    ]
    low, high = at - draw.uniform(0.01, 9), at + draw.uniform(0.01, 9)
    return kinds[seed % len(kinds)], float(low), float(high)


@pytest.mark.parametrize("xtol", [2e-12, 1e-10, 1e-3])
def test_it_is_brentq_of_scipy(xtol: float) -> None:
    for seed in range(200):
        function, low, high = drawn(seed)
        expected = scipy.optimize.brentq(function, low, high, xtol=xtol, disp=False)
        assert root(function, low, high, xtol) == expected


def test_an_end_may_be_the_root() -> None:
    assert root(lambda x: x, 0.0, 1.0) == 0
    assert root(lambda x: x - 1, 0.0, 1.0) == 1


def test_values_of_one_sign_are_refused() -> None:
    with pytest.raises(ValueError, match="expected values of both signs"):
        root(lambda x: x, 1.0, 2.0)
