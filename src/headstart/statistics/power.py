"""How many seeds decide.

A difference is judged by the t of its values over n seeds, against a bound that errs with the
chance (1 - LEVEL) / (2 m) where m tests share the error (Bonferroni). Where the difference is d and
its values spread with standard deviation s, t has the noncentral law with n - 1 degrees of freedom
and noncentrality sqrt(n) d / s.

Source: Cohen, Statistical Power Analysis (1988), section 2.4, the number of observations that
decides.
"""

import math

from scipy import special

from headstart.statistics.intervals import LEVEL, Estimate

POWER = 0.8
"""The chance that as many seeds decide, if the difference is as measured: Cohen's convention."""

MOST_SEEDS = 1000


def critical(n: int, m: float = 1.0) -> float:
    """The t beyond which one of m tests decides with n seeds."""
    return float(special.stdtrit(n - 1, 1 - (1 - LEVEL) / (2 * m)))


def seeds_for(effect: float, m: float = 1.0, power: float = POWER) -> int | None:
    """The seeds that find a difference, given in multiples of its spread; None above 1,000.

    >>> seeds_for(0.5), seeds_for(1.0), seeds_for(0.01)
    (34, 10, None)
    """
    for n in range(2, MOST_SEEDS + 1):
        edge, shift = critical(n, m), math.sqrt(n) * abs(effect)
        # beyond 5 standard errors the power is 1 to six digits
        if shift - edge > 5 or 1 - special.nctdtr(n - 1, shift, edge) >= power:
            return n
    return None


def seeds_needed(
    estimate: Estimate, margin: float = 0.0, power: float = POWER, level: float = LEVEL
) -> int | None:
    """Seeds after which a paired t test would tell the difference from `-margin`.

    The difference and its spread are taken to be as measured. `level` is that of the test,
    `1 - 0.05 / m` where it is one of m.

    The smallest n with P(|T| > t_{n-1}) >= power, T noncentral t with n - 1 degrees of freedom and
    noncentrality sqrt(n) |mean + margin| / s. None for one seed, and above 1,000. What was measured
    is itself uncertain: an order of magnitude.

    >>> from headstart.statistics.intervals import t_interval
    >>> seeds_needed(t_interval([0.0, 2.0]))  # mean 1, s 1.41
    18
    """
    if estimate.low is None or estimate.high is None:
        return None
    half = (estimate.high - estimate.low) / 2
    distance = abs(estimate.value + margin)
    if not distance:
        return None
    error = half / float(special.stdtrit(estimate.n - 1, 0.5 + LEVEL / 2))
    spread = error * math.sqrt(estimate.n)
    if not spread:
        return 3
    return seeds_for(distance / spread, (1 - LEVEL) / (1 - level), power)


def seeds_within(e: Estimate, margin: float, tests: int) -> int | None:
    """Seeds after which one of so many tests would find the difference smaller than the margin.

    With a chance of 80 %, the difference and its spread taken to be as measured. None where it is
    as large as the margin, for one seed, and above 1,000.

    >>> from headstart.statistics.intervals import t_interval
    >>> seeds_within(t_interval([-1.0, 1.0]), 1.0, 1), seeds_within(t_interval([0.0, 4.0]), 1.0, 1)
    (14, None)
    """
    if e.low is None or e.high is None or abs(e.value) >= margin:
        return None
    error = (e.high - e.low) / 2 / float(special.stdtrit(e.n - 1, 0.5 + LEVEL / 2))
    spread = error * math.sqrt(e.n)
    return seeds_for((margin - abs(e.value)) / spread, tests / 2) if spread else 3
