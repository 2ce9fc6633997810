"""How many seeds decide.

Source: Cohen, Statistical Power Analysis (1988), section 2.4, the number of observations that
decides.
"""

import math

from scipy import special

from headstart.statistics.intervals import LEVEL, Estimate

POWER = 0.8
"""The chance that as many seeds decide, if the difference is as measured: Cohen's convention."""

MOST_SEEDS = 1000


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
    for n in range(2, MOST_SEEDS + 1):
        critical = float(special.stdtrit(n - 1, 0.5 + level / 2))
        shift = math.sqrt(n) * distance / spread
        if shift - critical > 5:  # the power is 1 to six digits
            return n
        above = 1 - special.nctdtr(n - 1, shift, critical)
        below = special.nctdtr(n - 1, shift, -critical)
        if above + below >= power:
            return n
    return None
