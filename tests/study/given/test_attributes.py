"""What values of somebody's own say of themselves: attributes, closures, and who made them."""

import types
from collections.abc import Callable
from typing import Any

import pytest

from headstart.study.given.attributes import closed_over, fields_of, is_own_value, required


class Slotted:
    __slots__ = ("__hidden", "seen", "unset")

    def __init__(self) -> None:
        self.seen, self.__hidden = 1, 2


class Child(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.own = 3


def test_attributes_in_slots_and_beside_them_are_found() -> None:
    assert fields_of(Child()) == {"own": 3, "seen": 1, "__hidden": 2}


def test_a_closure_gives_its_values_and_says_which_are_not_there_yet() -> None:
    a, b = 1, [2]

    def function() -> Any:
        return a, b, later

    assert isinstance(function, types.FunctionType)
    assert closed_over(function) == [1, [2], "empty"]
    later = 3
    assert closed_over(function) == [1, [2], 3]


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda: 0, 0),
        (lambda a, b, c=1, *rest, d: 0, 2),
        (lambda *, d: 0, 0),
        (dict, None),
    ],
)
def test_required_arguments_are_those_by_position_without_a_default(
    function: Callable[..., Any], count: int | None
) -> None:
    assert required(function) == count


def test_functions_of_python_are_nobodys_own() -> None:
    assert not is_own_value(len)
    assert not is_own_value(required)
