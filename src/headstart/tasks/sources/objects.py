"""JSON as a table: an object a line, a list of objects, or the users of LEAF (Caldas et al., arXiv
1812.01097).

LEAF's files, `{"users": [...], "user_data": {user: {"x": [...], "y": [...]}}}`, have the columns
`user`, `x` and `y`; where x is a list with text, `x[0]`, `x[1]`, ...
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from headstart import files
from headstart.errors import HeadstartError
from headstart.parts.validation import shown

Row = dict[str, Any]
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which JSON can write and UTF-8 cannot."""


def names(path: Path, lines: bool) -> list[str]:
    """The columns: the keys of all objects, as they first come. Who writes JSON often leaves out
    keys without a value, so that the first object may lack some.

    Raises:
        HeadstartError: the file cannot be read, or has something else than objects.
    """
    found: Row = {}
    for row in _rows(path, lines):
        found |= row
    return list(found)


def table(path: Path, columns: Sequence[str], lines: bool) -> pa.Table:
    """Those columns; a key that an object lacks is an empty cell.

    Raises:
        HeadstartError: a row is no object, has a key twice, or a column has values of two types.
    """
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    for row in _rows(path, lines):
        for name in columns:
            cells[name].append(row.get(name))
    return pa.table({name: _of_one_type(values, name, path) for name, values in cells.items()})


def _rows(path: Path, lines: bool) -> Iterator[Row]:
    try:
        with files.explained(path, "read"), path.open(encoding="utf-8-sig") as opened:
            if lines:
                for row, line in enumerate(line for line in opened if line.strip()):
                    yield _object(parsed(line, f"{path}: row {row}"), f"{path}: row {row}")
                return
            content = parsed(opened.read(), str(path))
    except UnicodeDecodeError as error:
        raise HeadstartError(
            f"{path} cannot be read as text: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from error
    if isinstance(content, dict) and "user_data" in content:
        yield from _leaf_rows(content, path)
    elif isinstance(content, list):
        for row, found in enumerate(content):
            yield _object(found, f"{path}: row {row}")
    else:
        raise HeadstartError(
            f"{path}: expected a list of objects, or LEAF's object of users and user_data, got "
            f"{shown(content)}; an object a line is a file .jsonl"
        )


def parsed(text: str, place: str) -> Any:
    """What a text of JSON says; `place` begins the line about a fault.

    Raises:
        HeadstartError: it is no JSON, nested too deeply, or an object has a key twice.
    """
    try:
        return DECODER.decode(text)
    except KeyTwiceError as error:
        raise HeadstartError(
            f"{place} has the key {error.args[0]!r} twice; leave one out"
        ) from error
    except (json.JSONDecodeError, RecursionError) as error:
        advice = (
            "; an object a line is a file .jsonl"
            if str(error).startswith("Extra data: line")
            else ""
        )
        raise HeadstartError(f"{place} cannot be read as JSON: {error}{advice}") from error
    except ValueError as error:
        raise HeadstartError(f"{place} has a whole number of more than 4300 digits") from error


class KeyTwiceError(Exception):
    """An object has a key twice, of which Python's reader would keep the last without a word."""


def _with_keys_once(pairs: list[tuple[str, Any]]) -> Row:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyTwiceError(next(key for key in keys if keys.count(key) > 1))
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_with_keys_once)
"""One for all rows: making one takes as long as reading a row."""


def _object(found: Any, place: str) -> Row:
    if not isinstance(found, dict):
        advice = "; a list of objects is a file .json" if isinstance(found, list) else ""
        raise HeadstartError(
            f"{place} is {shown(found)}, expected an object {{column: value}}{advice}"
        )
    return found


def _leaf_rows(content: Row, path: Path) -> Iterator[Row]:
    data = content["user_data"]
    users = content.get("users", list(data) if isinstance(data, dict) else None)
    if not isinstance(data, dict) or not isinstance(users, list):
        raise HeadstartError(
            f"{path}: expected an object under LEAF's key user_data, and a list under users"
        )
    for user in users:
        samples = data.get(user) if isinstance(user, str) else None
        x, y = (samples.get("x"), samples.get("y")) if isinstance(samples, dict) else (None, None)
        if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
            raise HeadstartError(
                f"{path}: expected x and y, lists as long as each other, of user {shown(user)} "
                "in user_data"
            )
        for one, target in zip(x, y, strict=True):
            yield {"user": user, **_inputs(one), "y": target}


def _inputs(x: Any) -> Row:
    """One column, or where a list holds text, as that of a tweet with its author and date, one for
    each item.
    """
    if isinstance(x, list) and any(isinstance(item, str) for item in x):
        return {f"x[{place}]": item for place, item in enumerate(x)}
    return {"x": x}


def _of_one_type(values: list[Any], column: str, path: Path) -> pa.Array:
    """The cells of a column in one type: text, numbers, true and false, or lists of numbers that
    are as long.
    """
    first = next((row for row, value in enumerate(values) if value is not None), 0)
    sort = SORTS.get(type(values[first])) if values else None
    for row, value in enumerate(values):
        if value is not None and (SORTS.get(type(value)) != sort or sort is None):
            where = f", where row {first} has {shown(values[first])}" if row != first else ""
            raise HeadstartError(
                f"{path}: row {row} has {shown(value)} in column {column!r}{where}; "
                "expected text in all rows, numbers, lists of numbers, or true and false"
            )
    if sort == "list":
        return _lists(values, first, column, path)
    floats = sort == "number" and any(isinstance(value, float) for value in values)
    try:
        return pa.array(
            [None if value is None else float(value) for value in values] if floats else values
        )
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        row = next(row for row, value in enumerate(values) if not _storable(value, floats))
        expected = (
            "a number of fewer digits"
            if sort == "number"
            else "text without halves of surrogate pairs"
        )
        raise HeadstartError(
            f"{path}: row {row} has {shown(values[row])} in column {column!r}, expected {expected}"
        ) from error


SORTS = {bool: "truth", int: "number", float: "number", str: "text", list: "list"}
"""What a value of a column may be, in a word."""


def _lists(values: list[Any], first: int, column: str, path: Path) -> pa.Array:
    """Lists of numbers, also nested ones, each flat."""
    shape = None
    arrays = []
    for row, value in enumerate(values):
        try:
            numbers = None if value is None else np.asarray(value, dtype=np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise HeadstartError(
                f"{path}: row {row} has {shown(value)} in column {column!r}, expected a list of "
                "numbers"
            ) from error
        shape = numbers.shape if shape is None and numbers is not None else shape
        if numbers is not None and not numbers.size:
            raise HeadstartError(
                f"{path}: row {row} has an empty list in column {column!r}, expected numbers"
            )
        if numbers is not None and numbers.shape != shape:
            raise HeadstartError(
                f"{path}: row {row} has a list of {_sizes(numbers.shape)} numbers in column "
                f"{column!r}, expected {_sizes(shape)} as in row {first}"
            )
        arrays.append(numbers)
    width = int(np.prod(shape)) if shape is not None else 0
    flat = np.stack(
        [np.full(width, np.nan) if array is None else array.ravel() for array in arrays]
    ).ravel()
    empty = pa.array([array is None for array in arrays])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), width, mask=empty)


def _sizes(shape: tuple[int, ...] | None) -> str:
    return "x".join(map(str, shape or ()))


def _storable(value: Any, as_float: bool) -> bool:
    if isinstance(value, int):
        return abs(value) < (2**1023 if as_float else 2**63)
    return not (isinstance(value, str) and HALVES.search(value))
