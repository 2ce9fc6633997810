"""What a user wrote against a declaration: the first fault is one line with its place."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from headstart.errors import HeadstartError
from headstart.parts.validation import DEEPEST, as_name, refuse_unwritable, shown, validate


class Inner(BaseModel):
    """A mapping within a mapping."""

    model_config = ConfigDict(extra="forbid")
    trials: Annotated[int, Field(ge=1)] = 1


class Outer(BaseModel):
    """What a file may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)
    rounds: Annotated[int, Field(ge=1, lt=100)]
    rates: list[float] = []
    tuning: Inner | None = None
    split: Literal["test", "validation"] = "test"


def test_what_fits_is_the_model() -> None:
    found = validate(Outer, {"rounds": 3, "tuning": {"trials": 2}})
    assert (found.rounds, found.tuning) == (3, Inner(trials=2))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "rounds: expected a whole number >= 1 and < 100, got nothing"),
        ({"rounds": 0}, "rounds: expected a whole number >= 1 and < 100, got 0"),
        ({"rounds": 2, "round": 1}, "unknown key 'round'; did you mean 'rounds'?"),
        ({"rounds": 2, "rates": [0.1, "x"]}, "rates[1]: expected a number, got 'x'"),
        (
            {"rounds": 2, "tuning": {"trials": 0}},
            "tuning.trials: expected a whole number >= 1, got 0",
        ),
        ({"rounds": 2, "tuning": {"trails": 1}}, "tuning: unknown key 'trails'; did you mean"),
        ({"rounds": 2, "split": "all"}, "split: expected one of test, validation, got 'all'"),
        ({"rounds": 2**63}, "rounds: expected a whole number below 2^63"),
    ],
)
def test_a_fault_is_one_line_with_its_place(values: dict[str, Any], line: str) -> None:
    with pytest.raises(HeadstartError) as raised:
        validate(Outer, values)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_what_no_file_of_results_could_hold() -> None:
    refuse_unwritable({"a": [1, {"b": "text"}]})
    with pytest.raises(HeadstartError, match=r"^a\[0\]: expected text, got .* which is no letter"):
        refuse_unwritable({"a": ["\0"]})
    with pytest.raises(HeadstartError, match="one of about 3011 digits"):
        refuse_unwritable(2**10_000)
    deep: Any = []
    for _ in range(DEEPEST + 1):
        deep = [deep]
    with pytest.raises(HeadstartError, match=f"at most {DEEPEST} deep, got more"):
        refuse_unwritable(deep)


def test_values_are_shown_shortened_and_names_are_short() -> None:
    assert len(shown("x" * 1000)) < 100
    assert as_name("Letters 2024", "as") == "Letters 2024"
    with pytest.raises(HeadstartError, match=r"^as: expected a name"):
        as_name("x" * 61, "as")
