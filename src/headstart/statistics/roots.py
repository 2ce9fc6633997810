"""Roots of functions of one number, by Brent's method.

R. P. Brent, Algorithms for Minimization Without Derivatives (1973), chapter 4. It is `brentq` of
`scipy.optimize`, to the bit (a test): that package would take 23 MiB and a quarter of a second of
each command, for this one function.
"""

from collections.abc import Callable

RTOL = 4 * 2.0**-52
"""The precision in shares of the root; scipy's."""

STEPS = 100
"""Bisection alone takes half as many."""


def root(function: Callable[[float], float], low: float, high: float, xtol: float = 2e-12) -> float:
    """Return a number between two, at which a function is 0 or changes its sign.

    >>> root(lambda x: x * x - 2, 0.0, 2.0)
    1.4142135623731364

    Args:
        function: is continuous.
        low, high: where its values differ in sign.
        xtol: how far off the root may be.

    Raises:
        ValueError: the values at both ends have one sign.
    """
    last, here, across = low, high, 0.0
    of_last, of_here, of_across = function(last), function(here), 0.0
    if of_last == 0:
        return last
    if of_here == 0:
        return here
    if not _differ(of_last, of_here):
        raise ValueError(f"expected values of both signs, got {of_last} and {of_here}")
    step_before = step = 0.0
    for _ in range(STEPS):
        if of_last != 0 and of_here != 0 and _differ(of_last, of_here):
            across, of_across = last, of_last
            step_before = step = here - last
        if abs(of_across) < abs(of_here):
            last, here, across = here, across, here
            of_last, of_here, of_across = of_here, of_across, of_here
        tolerance = (xtol + RTOL * abs(here)) / 2
        half = (across - here) / 2
        if of_here == 0 or abs(half) < tolerance:
            return here
        if abs(step_before) > tolerance and abs(of_here) < abs(of_last):
            if last == across:
                tried = -of_here * (here - last) / (of_here - of_last)
            else:
                slope = (of_last - of_here) / (last - here)
                steeper = (of_across - of_here) / (across - here)
                bend = steeper * slope * (of_across - of_last)
                tried = -of_here * (of_across * steeper - of_last * slope) / bend
            if 2 * abs(tried) < min(abs(step_before), 3 * abs(half) - tolerance):
                step_before, step = step, tried
            else:
                step_before = step = half
        else:
            step_before = step = half
        last, of_last = here, of_here
        here += step if abs(step) > tolerance else (tolerance if half > 0 else -tolerance)
        of_here = function(here)
    return here


def _differ(one: float, other: float) -> bool:
    return (one < 0) != (other < 0)
