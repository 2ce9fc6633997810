"""Intervals of shares: of a number of trials, and of a gap."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from headstart.statistics.intervals import LEVEL


def wilson(successes: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a share (Wilson, Journal of the American Statistical Association
    1927):

        (k + z^2 / 2 ± z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2).

    Args:
        successes: k.
        trials: n, at least 1.
        level: of the interval.

    >>> low, high = wilson(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.2775)
    """
    z = float(special.ndtri(0.5 + level / 2))
    middle = successes + z * z / 2
    half = z * math.sqrt(successes * (trials - successes) / trials + z * z / 4)
    whole = trials + z * z
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], level: float = LEVEL
) -> tuple[float, float] | None:
    """Return Fieller's interval of the ratio of two means of paired values (Journal of the Royal
    Statistical Society B, 1954).

    It holds every ratio r for which Student's t test does not tell the mean of a - r b from 0; None
    where that is no interval, as the mean of the denominators is not told from 0, or with fewer
    than two values.

    Args:
        numerators: a.
        denominators: b, each of the same seed as its numerator.
        level: of the interval.

    >>> low, high = ratio_interval([1.0, 1.2, 1.1], [10.0, 11.0, 12.0]) or (0.0, 0.0)
    >>> round(low, 3), round(high, 3)
    (0.079, 0.126)
    >>> ratio_interval([1.0, 2.0, 3.0], [-1.0, 0.0, 2.0])
    """
    a, b = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if a.size < 2:
        return None
    t = float(special.stdtrit(a.size - 1, 0.5 + level / 2))
    (aa, ab), (_, bb) = np.cov(a, b) * t * t / a.size
    mean_a, mean_b = float(a.mean()), float(b.mean())
    # (mean_a - r mean_b)^2 <= aa - 2 r ab + r^2 bb
    square, linear, whole = mean_b**2 - bb, mean_a * mean_b - ab, mean_a**2 - aa
    if square <= 0:
        return None
    half = math.sqrt(max(0.0, linear**2 - square * whole))
    return float((linear - half) / square), float((linear + half) / square)
