"""Numbers as they are written."""

import math

import pytest

from headstart.report.words.numbers import (
    MINUS,
    OF_CHANGES,
    OF_CORRELATIONS,
    number,
    p_text,
    percent,
    points,
    signed,
    size,
)
from headstart.statistics.intervals import Estimate


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "0.0"), (-0.04, "0.0"), (2.55, "+2.5"), (-2.5, f"{MINUS}2.5")]
)
def test_signs(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(99.96, "100"), (100.4, "100"), (123456.0, "123,456"), (1e6, "1e+06"), (0.00123, "0.00123")],
)
def test_sizes(value: float, text: str) -> None:
    assert size(value) == text


def test_what_is_not_there_is_a_dash() -> None:
    assert [percent(None), percent(math.nan), percent(0.1234), percent(1.0, 0)] == [
        "–",
        "–",
        "12.3%",
        "100%",
    ]


def test_differences_with_intervals() -> None:
    assert points(Estimate(0.041, 0.02, 0.062, 3)) == "+4.1 points [+2.0, +6.2]"
    assert number(Estimate(-1.0, None, None, 1)) == f"{MINUS}1.00 (no interval from one seed)"
    assert number(Estimate(1.0, None, None, 2), 1, " rounds") == "+1.0 rounds (two equal seeds)"
    assert points(None) == "no common seed"


def test_what_is_not_possible_is_not_written() -> None:
    """Two seeds give intervals of 12.7 standard errors: beyond 100 points,
    or 200 of a change of differences.
    """
    wide = Estimate(0.1, -1.5, 1.7, 2)
    assert points(wide) == "+10.0 points (2 seeds: the interval spans all that is possible)"
    assert points(wide, OF_CHANGES) == f"+10.0 points [{MINUS}150.0, +170.0]"
    tau = number(Estimate(0.22, -7.43, 7.87, 3), most=OF_CORRELATIONS)
    assert tau == "+0.22 (3 seeds: the interval spans all that is possible)"
    assert (
        number(Estimate(-1.5, -3.5, 0.5, 3), most=OF_CORRELATIONS)
        == f"{MINUS}1.50 [{MINUS}2.00, +0.50]"
    )
    assert number(Estimate(0.5, -7.0, 8.0, 3), 1, " rounds") == f"+0.5 rounds [{MINUS}7.0, +8.0]"
    assert points(Estimate(0.5, -0.4, 1.4, 2)) == f"+50.0 points [{MINUS}40.0, +100.0]"


def test_p_values() -> None:
    assert [p_text(0.5), p_text(0.05), p_text(0.0001)] == ["p = 0.5", "p = 0.050", "p < 0.001"]
