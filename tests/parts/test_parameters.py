"""What a factory declares of its parameters, and the marks on them."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from headstart.parts.parameters import AddedLater, Tunable, is_later, parameters_of


def factory(
    task: Any,
    *,
    mu: Annotated[float, Field(ge=0), Tunable(1e-3, 1.0)] = 0.01,
    ends: tuple[int, int] = (1, 2),
    later: Annotated[bool, AddedLater()] = False,
) -> None:
    """Takes a task from the program, and three parameters from a study."""


def test_parameters_are_what_stands_after_the_star() -> None:
    declared = parameters_of(factory)
    assert declared().model_dump() == {"mu": 0.01, "ends": (1, 2), "later": False}
    assert declared(ends=[3, 4]).model_dump()["ends"] == (3, 4)  # YAML has no tuples
    for wrong in ({"mu": -1.0}, {"mu": True}, {"nu": 1.0}):
        with pytest.raises(ValidationError):
            declared(**wrong)
    later = {name: is_later(info.metadata) for name, info in declared.model_fields.items()}
    assert later == {"mu": False, "ends": False, "later": True}


@pytest.mark.parametrize(
    ("low", "high", "log"), [(1.0, 1.0, True), (0.0, 1.0, True), (2.0, 1.0, False)]
)
def test_a_range_to_tune_over_goes_upwards(low: float, high: float, log: bool) -> None:
    with pytest.raises(ValueError, match="expected a range from low to high"):
        Tunable(low, high, log)
    assert Tunable(-1.0, 1.0, log=False).low == -1.0
