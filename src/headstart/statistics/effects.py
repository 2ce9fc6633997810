"""What several cells have in common, by seed: their mean, their spread, their slope; and whether
two spreads are equal.

Sources: Pitman, Biometrika 31 (1939), and Morgan, ibid., variances of paired values.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from headstart.statistics.intervals import BySeed


def spread(cells: Sequence[BySeed]) -> dict[int, float]:
    """The standard deviation between pairs (ddof 1), for every seed that all of them have."""
    seeds = set.intersection(*(set(cell) for cell in cells)) if len(cells) > 1 else set()
    return {seed: float(np.std([cell[seed] for cell in cells], ddof=1)) for seed in sorted(seeds)}


def mean_over(cells: Sequence[BySeed]) -> dict[int, float]:
    """The mean over cells, for every seed that all of them have."""
    seeds = set.intersection(*(set(cell) for cell in cells)) if cells else set()
    return {seed: float(np.mean([cell[seed] for cell in cells])) for seed in sorted(seeds)}


def slope(x: Sequence[float], cells: Sequence[BySeed]) -> dict[int, float]:
    """The least-squares slope of a cell's value over `x`, by seed (x: log2 of the local epochs, so:
    per doubling).

    >>> slope([0, 1, 2], [{7: 5.0}, {7: 4.0}, {7: 3.0}])
    {7: -1.0}
    """
    centred = np.asarray(x, dtype=float) - np.mean(x)
    seeds = set.intersection(*(set(cell) for cell in cells)) if cells else set()
    weight = float((centred**2).sum())
    return {
        s: float((centred * [cell[s] for cell in cells]).sum()) / weight
        for s in sorted(seeds)
        if weight
    }


def equal_spread(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The two-sided p-value of paired values (the pairs' means from two starts) having the same
    variance.

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
