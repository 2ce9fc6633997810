"""Several things in a sentence."""

from headstart.report.words.lists import (
    DIVERGED,
    SHORT,
    capital,
    count,
    in_brackets,
    left_out,
    listed,
    some,
)


def test_lists() -> None:
    assert [listed([]), listed(["a"]), listed("ab"), listed("abc")] == ["", "a", "a and b", "a, b and c"]
    assert [some("abc"), some("abcd"), some("abcde", 1)] == ["a, b and c", "a, b, c and 1 more", "a and 4 more"]


def test_counts() -> None:
    assert [count(0, "run"), count(1, "run"), count(2, "run")] == ["0 runs", "1 run", "2 runs"]
    assert left_out((0, DIVERGED), (0, SHORT)) == ""
    assert left_out((1, DIVERGED), (2, SHORT)) == ("1 pair with diverged runs and 2 pairs with fewer seeds left out")


def test_remarks_and_capitals() -> None:
    assert (in_brackets(""), in_brackets("x")) == ("", " (x)")
    assert (capital(""), capital("from A")) == ("", "From A")
