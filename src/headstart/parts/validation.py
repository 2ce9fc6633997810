"""Checking what a user wrote against a declaration: the first fault becomes one line, with its
place in the file.
"""

import re
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from headstart.errors import HeadstartError, nearest

M = TypeVar("M", bound=BaseModel)
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_TYPES = {
    float: "a number",
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    Any: "a name or a mapping",
}
LISTS = (list, tuple, set, frozenset)
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


DEEPEST = 30
"""Lists and mappings within one another; a study has about five."""

WHOLE = 2**63
"""Whole numbers lie below this: torch, NumPy and Parquet hold no others."""


def refuse_unwritable(value: object, path: str = "", depth: int = 0) -> None:
    """Refuse whole numbers and letters that no file of results could hold, however deep they lie.

    >>> refuse_unwritable(2**63, "n")
    Traceback (most recent call last):
    headstart.errors.HeadstartError: n: expected a whole number below 2^63, got 9223372036854775808
    """
    if isinstance(value, int) and not -WHOLE <= value < WHOLE:
        digits = value.bit_length() * 0.30103  # without writing out a number that may have millions
        got = str(value) if digits < 30 else f"one of about {digits:.0f} digits"
        raise HeadstartError(f"{at(path)}expected a whole number below 2^63, got {got}")
    if isinstance(value, str) and (bad := _UNWRITABLE.search(value)):
        raise HeadstartError(
            f"{at(path)}expected text, got {shown(value)} with {bad[0]!a}, which is no letter"
        )
    if depth > DEEPEST:
        raise HeadstartError(
            f"{at(path)}expected lists and mappings at most {DEEPEST} deep, got more"
        )
    if isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_unwritable(key, path, depth + 1)
            refuse_unwritable(inner, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, LISTS):
        for i, inner in enumerate(value):
            refuse_unwritable(inner, f"{path}[{i}]", depth + 1)


def validate(model: type[M], values: Mapping[str, Any], path: str = "") -> M:
    """Check values against a pydantic model; the first fault becomes one line with its path."""
    refuse_unwritable(values, path)
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        raise HeadstartError(_line(model, unknown_first[0], path)) from None


def _line(model: type[BaseModel], fault: Any, place: str) -> str:
    """A fault that pydantic found, with its place in the user's file and what belongs there."""
    inside: FieldInfo | None = FieldInfo(annotation=model)
    for step in fault["loc"]:
        fields = getattr(_sole(inside), "model_fields", None)
        if fields is not None and step not in fields:
            return (
                f"{at(place)}unknown key "
                f"{step!r}{nearest(str(step), fields) if fields else '; there are none'}"
            )
        if isinstance(step, int):
            place += f"[{step}]"
        elif fields is not None:
            place = f"{place}.{step}" if place else step
        inside = _within(inside, step)
    expected = describe(inside) if inside else "another type"
    if fault["type"] == "missing":
        return f"{place}: expected {expected}, got nothing"
    if fault["type"] in ("value_error", "assertion_error"):
        return f"{at(place)}{fault['ctx']['error']}"
    if fault["type"] == "finite_number":
        expected = f"{expected}, finite"
    return f"{at(place)}expected {expected}, got {shown(fault['input'])}"


def _within(info: FieldInfo | None, step: int | str) -> FieldInfo | None:
    """What is declared for a key or an item of what `info` declares; pydantic's names of a union's
    options stay.
    """
    if info is None:
        return None
    options = [
        FieldInfo.from_annotation(option)
        for option in _options(info.annotation)
        if option is not type(None)
    ]
    if len(options) > 1:
        return info
    fields = getattr(options[0].annotation, "model_fields", None)
    if fields is not None:
        return typing.cast(FieldInfo | None, fields.get(step))
    return _item(options[0].annotation)


def _sole(info: FieldInfo | None) -> Any:
    """The type that is declared, where there is only one beside nothing."""
    options = (
        [option for option in _options(info.annotation) if option is not type(None)] if info else []
    )
    return options[0] if len(options) == 1 else None


def _options(annotation: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else (annotation,)


def _item(annotation: Any) -> FieldInfo | None:
    items = typing.get_args(annotation)
    return (
        FieldInfo.from_annotation(items[0])
        if typing.get_origin(annotation) in LISTS and items
        else None
    )


def describe(info: FieldInfo) -> str:
    """What a parameter takes, in words.

    >>> from typing import Annotated
    >>> from pydantic import Field
    >>> describe(FieldInfo.from_annotation(Annotated[float, Field(ge=0, lt=1)]))
    'a number >= 0 and < 1'
    >>> describe(FieldInfo.from_annotation(Annotated[list[int], Field(min_length=1)] | None))
    'a list of at least 1, each a whole number, or nothing'
    """
    bounds, least = [], 0
    for rule in info.metadata:
        least = least or getattr(rule, "min_length", 0)
        for name, sign in _BOUNDS.items():
            if hasattr(rule, name):
                bounds.append(f"{sign} {getattr(rule, name)}")
    options = _options(info.annotation)
    words = []
    if len(options) > 1:
        given = [option for option in options if option is not type(None)]
        words = [describe(FieldInfo.from_annotation(option)) for option in given]
    text = f"{' or '.join(words) or _words(info.annotation, least)} {' and '.join(bounds)}".strip()
    if type(None) not in options:
        return text
    return text + (", or nothing" if "," in text else " or nothing")


def _words(annotation: Any, least: int) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        words = typing.get_args(annotation)
        return ("one of " if words[1:] else "") + ", ".join(map(str, words))
    if (typing.get_origin(annotation) or annotation) in LISTS:
        item = _item(annotation)
        each = f", each {describe(item)}" if item is not None and item.annotation is not Any else ""
        return "a list" + (f" of at least {least}" if least else "") + each
    return _TYPES.get(annotation, "a mapping")


_NAME = re.compile(r"\w([\w .+-]{0,58}[\w.+-])?")


def as_name(value: object, what: str) -> str:
    """A name that tables and pages can show.

    >>> as_name("Letters, 2024", "as")
    Traceback (most recent call last):
    headstart.errors.HeadstartError: as: expected a name of letters, digits, blanks and .+-_, at \
most 60, got 'Letters, 2024'

    Raises:
        HeadstartError: it is none.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise HeadstartError(
            f"{what}: expected a name of letters, digits, blanks and .+-_, at most 60, got "
            f"{shown(value)}"
        )
    return value


def shown(value: object) -> str:
    """A user's value for an error message, shortened."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(value)


def at(path: str) -> str:
    """How an error begins that has a place in the user's file."""
    return f"{path}: " if path else ""
