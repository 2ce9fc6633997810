"""A column has one use, and a parameter an effect."""

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.own.uses import refuse_idle, refuse_second_use


def test_columns_with_one_use_each_are_taken() -> None:
    refuse_second_use({"label": ["y"], "client": [None], "features": ["a", "b"], "categories": []})
    refuse_idle({"words": False}, "text")


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        (
            {"label": ["y"], "client": ["who"], "features": ["x", "who"]},
            "got 'who' as client and features",
        ),
        ({"features": ["x", "x"]}, "got 'x' twice as features"),
    ],
)
def test_both_uses_of_a_column_are_named(uses: dict[str, list[str | None]], said: str) -> None:
    with pytest.raises(HeadstartError, match=f"expected one use for each column, {said}$"):
        refuse_second_use(uses)


def test_a_parameter_without_effect_says_what_it_needs() -> None:
    with pytest.raises(
        HeadstartError, match=r"table.length: expected it with text, without which it has no effect"
    ):
        refuse_idle({"words": False, "length": True}, "text")
