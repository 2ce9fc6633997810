"""What several cells have in common, by seed: mean, spread, slope; whether two spreads are equal.

Sources: Pitman, Biometrika 31 (1939), and Morgan, ibid., variances of paired values.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from headstart.statistics.intervals import BySeed


def spread(cells: Sequence[BySeed]) -> dict[int, float]:
    """The standard deviation between pairs (ddof 1), for every seed that all of them have."""
    if len(cells) < 2:
        return {}
    return {seed: float(np.std(values, ddof=1)) for seed, values in _by_seed(cells).items()}


def mean_over(cells: Sequence[BySeed]) -> dict[int, float]:
    """The mean over cells, for every seed that all of them have."""
    return {seed: float(np.mean(values)) for seed, values in _by_seed(cells).items()}


def _by_seed(cells: Sequence[BySeed]) -> dict[int, list[float]]:
    """The values of the cells, one a cell, of every seed that all of them have."""
    seeds = set.intersection(*map(set, cells)) if cells else set()
    values: dict[int, list[float]] = {}
    for seed in sorted(seeds):
        values[seed] = [cell[seed] for cell in cells]
    return values


def slope(x: Sequence[float], cells: Sequence[BySeed]) -> dict[int, float]:
    """The least-squares slope of a cell's value over `x`, by seed.

    Where x is the log2 of the local epochs, it is the change per doubling.

    >>> slope([0, 1, 2], [{7: 5.0}, {7: 4.0}, {7: 3.0}])
    {7: -1.0}
    """
    centred = np.asarray(x, dtype=float) - np.mean(x)
    weight = float((centred**2).sum())
    if not weight:
        return {}
    slopes = {}
    for seed, values in _by_seed(cells).items():
        slopes[seed] = float((centred * values).sum()) / weight
    return slopes


def equal_spread(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The two-sided p-value of paired values, the pairs' means from two starts, varying alike.

    Pitman and Morgan: variances are equal where sums and differences are uncorrelated, t = r sqrt(m
    - 2) / sqrt(1 - r^2) with m - 2 degrees of freedom, r = corr(a + b, a - b). Assumes normal
    values. None below three pairs, and where sums or differences do not vary, or only together.
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    total, difference = x + y, x - y
    if len(x) < 3 or not total.std() or not difference.std():
        return None
    r = float(np.corrcoef(total, difference)[0, 1])
    if abs(r) > 1 - 1e-12:
        return None
    t = r * math.sqrt(len(x) - 2) / math.sqrt(1 - r * r)
    return float(2 * special.stdtr(len(x) - 2, -abs(t)))
