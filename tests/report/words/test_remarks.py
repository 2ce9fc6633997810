"""Remarks at the end of a sentence."""

from headstart.report.words.remarks import DIVERGED, SHORT, capital, in_brackets, left_out


def test_what_was_left_out() -> None:
    assert left_out((0, DIVERGED), (0, SHORT)) == ""
    assert left_out((1, DIVERGED), (2, SHORT)) == (
        "1 pair with diverged runs and 2 pairs with fewer seeds left out"
    )


def test_remarks_and_capitals() -> None:
    assert (in_brackets(""), in_brackets("x")) == ("", " (x)")
    assert (capital(""), capital("from A")) == ("", "From A")
