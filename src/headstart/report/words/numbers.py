"""How numbers are written on the page."""

import math

from headstart.statistics.intervals import Estimate, within

MINUS = "\u2212"

MEGABYTE = 1e6
"""Bytes. What is sent is told in megabytes everywhere."""


def signed(value: float, digits: int = 1) -> str:
    """Write a number with its sign; zero has none.

    >>> signed(0.04), signed(-2.5)
    ('0.0', '\u22122.5')
    """
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage; a dash where there is none."""
    return "\u2013" if value is None or value != value else f"{100 * value:.{digits}f}%"


def size(value: float, digits: int = 3) -> str:
    """Write so many significant digits, more where whole numbers are read at a glance.

    >>> size(4843.13), size(26.29), size(0.01234), size(-2.5e7)
    ('4,843', '26.3', '0.0123', '\u22122.5e+07')
    """
    is_whole = 10 ** (digits - 1) <= abs(value) < 1e6
    return (f"{value:,.0f}" if is_whole else f"{value:.{digits}g}").replace("-", MINUS)


OF_CORRELATIONS = 2.0
"""A difference of two cosines, or of two of Kendall\u2019s tau, lies within so much."""

OF_CHANGES = 2.0
"""A difference of two differences of accuracies lies within 200 points."""


def points(estimate: Estimate | None, most: float = 1.0) -> str:
    """Write a difference of accuracies, without what is not possible.

    most: how large it can be, as a share.

    >>> points(Estimate(0.041, 0.02, 0.062, 3)), points(Estimate(0.9, 0.4, 1.4, 3))
    ('+4.1 points [+2.0, +6.2]', '+90.0 points [+40.0, +100.0]')
    >>> points(Estimate(0.1, -1.2, 1.4, 2))
    '+10.0 points (2 seeds: the interval spans all that is possible)'
    """
    return _with_interval(estimate, 100, 1, " points", most)


def number(
    estimate: Estimate | None, digits: int = 2, unit: str = "", most: float = math.inf
) -> str:
    """Write a difference with its interval, without what is not possible.

    most: how large it can be; 2 between two correlations.

    >>> number(Estimate(0.22, -7.43, 7.87, 3), most=OF_CORRELATIONS)
    '+0.22 (3 seeds: the interval spans all that is possible)'
    """
    return _with_interval(estimate, 1, digits, unit, most)


def unsigned(e: Estimate, scale: float = 1, digits: int = 2, unit: str = "") -> str:
    """Write the size of a difference where words say which way round it is; what lies on the other
    side of zero has a minus.

    Args:
        e: the difference, seen from where it is positive.
        scale: what it is multiplied by.
        digits: its decimals.
        unit: what stands behind the number.

    >>> unsigned(Estimate(0.041, -0.002, 0.062, 3), 100, 1, " points")
    '4.1 points [\u22120.2, 6.2]'
    """
    ends = []
    for end in (e.value, e.low, e.high):
        if end is not None:
            ends.append(f"{scale * end:.{digits}f}".replace("-", MINUS))
    value, *interval = ends
    told = f"[{', '.join(interval)}]" if interval else f"({no_interval(e)})"
    return f"{value}{unit} {told}"


def p_text(p: float | None) -> str:
    """Write a p-value; nothing where there is none.

    >>> p_text(0.0312), p_text(0.00004), p_text(None)
    ('p = 0.031', 'p < 0.001', '')
    """
    if p is None:
        return ""
    return "p < 0.001" if p < 0.0005 else f"p = {p:.2g}" if p >= 0.1 else f"p = {p:.3f}"


def no_interval(e: Estimate) -> str:
    """Say why an estimate has no interval."""
    if e.n == 1:
        return "no interval from one seed"
    return f"{'two' if e.n == 2 else e.n} equal seeds"


def _with_interval(e: Estimate | None, scale: float, digits: int, unit: str, most: float) -> str:
    if e is None:
        return "no common seed"
    head = f"{signed(scale * e.value, digits)}{unit}"
    if e.low is None or e.high is None:
        return f"{head} ({no_interval(e)})"
    possible = within(e, -most, most)
    if (possible.low, possible.high) == (-most, most):
        return f"{head} ({e.n} seeds: the interval spans all that is possible)"
    assert possible.low is not None
    assert possible.high is not None
    ends = signed(scale * possible.low, digits), signed(scale * possible.high, digits)
    return f"{head} [{', '.join(ends)}]"
