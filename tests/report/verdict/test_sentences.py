"""How the parts of a verdict are written."""

import pytest

from headstart.looks.competitors import Pair
from headstart.report.verdict.sentences import (
    Sentence,
    difference,
    either,
    in_points,
    joined,
    named,
    possible,
)
from headstart.statistics.joint.decisions import Bounds


def test_a_sentence_ends_once() -> None:
    assert Sentence(True, "Begin from a").text == "Begin from a."
    assert Sentence(True, "Begin from a", "it is ahead").text == "Begin from a: it is ahead."
    assert Sentence(True, "Begin from a", "it is ahead", beside="Not judged: speed.").text == (
        "Begin from a: it is ahead. Not judged: speed."
    )


def test_pairs_that_are_one_are_named_together() -> None:
    pairs = [Pair("sgd", "adam"), Pair("nova", "adam"), Pair("proximal(mu=0)", "adam")]
    assert named(pairs) == (
        "FedAdam (FedAdam with FedNova clients and FedAdam with FedProx clients (mu=0) are the "
        "same)"
    )


@pytest.mark.parametrize(
    ("names", "said"), [("a", "a"), ("ab", "a or b"), ("abcdef", "a, b, c, d or 2 more")]
)
def test_names_to_choose_from(names: str, said: str) -> None:
    assert either(list(names)) == said


def test_a_difference_without_bounds_shows_none() -> None:
    assert difference(Bounds(-0.012)) == "−1.2 points"
    assert possible(Bounds(0.1)) == "nothing is excluded"
    assert possible(Bounds(0.1, -2.0, 0.2)) == "anything from −100.0 to +20.0 points is possible"
    assert difference(Bounds(0.1, 0.05, 1.7)) == "+10.0 points [+5.0, +100.0]"
    assert in_points(0.01) == "1 point"
    assert joined("a", "", "b") == "a; b"
