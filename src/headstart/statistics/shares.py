"""Shares of a number of trials."""

import math

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
