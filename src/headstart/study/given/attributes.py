"""What functions, classes and instances of somebody's say of themselves."""

import inspect
import types
from collections.abc import Callable
from typing import Any

from headstart.study.given.source_files import is_own


def fields_of(value: Any) -> dict[str, Any]:
    """The attributes of an instance, also those in slots."""
    fields = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            hidden = f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") else name
            if hasattr(value, hidden) and isinstance(
                vars(kind).get(hidden), types.MemberDescriptorType
            ):
                fields[name] = getattr(value, hidden)
    return fields


def closed_over(function: types.FunctionType) -> list[object]:
    """Return the values that a function closes over."""
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not filled yet
            found.append("empty")
    return found


def is_own_value(value: Any) -> bool:
    """Whether a function or class is the user's: neither Headstart's, nor of Python, nor of an
    installed package.
    """
    module = getattr(value, "__module__", None)
    if not isinstance(module, str):
        return isinstance(value, types.FunctionType | type)
    return is_own(module)


def required(function: Callable[..., object]) -> int | None:
    """How many arguments by position a function must be given; None where it does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in by_position and one.default is one.empty for one in parameters)
