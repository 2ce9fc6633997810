"""How large a difference can be and not matter: as stated, in the unit of what is judged."""

import math

import pytest

from headstart.report.runs.margins import amount, margin_of


@pytest.mark.parametrize(
    ("slug", "unit", "expected"),
    [
        ("iid-gap", "accuracy", (0.02, "2 points")),
        ("speedup", "rounds", (3.0, "3 rounds, 5% of 60")),
        ("speedup", "accuracy", (0.02, "2 points")),
        ("curvature", "logarithm of the ratio", (math.log(1.1), "10%")),
        ("curvature", "eigenvalue", None),
        ("alignment", "cosine", (0.05, "0.05")),
        ("initial-loss", "loss", (0.02, "0.02")),
        ("gd-vs-sgd", "accuracy", None),
        ("ranking", "accuracy", None),
        ("clients", "accuracy", None),
    ],
)
def test_a_margin_is_in_the_unit_that_is_judged(
    slug: str, unit: str, expected: tuple[float, str] | None
) -> None:
    settings = {"margin": 2.0, "margins": {"alignment": 0.05}, "rounds": 60}
    assert margin_of(settings, slug, unit) == (
        expected and (pytest.approx(expected[0]), expected[1])
    )


def test_what_is_damaged_or_says_nothing_leaves_the_margins_as_they_are() -> None:
    assert amount({"margins": "none"}, "speedup") == 5.0
    assert amount({}, "devices") == 0.5
    assert margin_of({}, "speedup", "rounds") is None
