"""The columns of a user's table as numbers, words and text."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.tasks.sources.cell_types import is_text
from headstart.tasks.sources.tables import SourceTable
from headstart.wording.phrases import listed

Numbers = npt.NDArray[np.float64]
MOST = float(np.finfo(np.float32).max)
NOTHING = {"", "na", "n/a", "nan", "null", "none", "<na>", "nat", "?"}
"""What programs write, in any case, where a number is missing."""
LEAST = 1e-150
"""Some number of a column must be larger than this for their squares to be told from 0."""
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def numbers(table: SourceTable, column: str, gaps: bool = False) -> Numbers:
    """A column of numbers [N, 1], or of lists of W numbers each [N, W].

    True and false are 1 and 0, text is read as a number, and times are seconds since 1970. With
    `gaps`, a cell that has nothing is nan.

    Raises:
        HeadstartError: a cell that is no number, not finite or too large for float32, with its row.
    """
    cells = table.column(column)
    values_NW = (
        _lists(table, column, cells)
        if _is_list(cells.type)
        else _flat(table, column, cells, gaps)[:, None]
    )
    largest = np.max(np.abs(values_NW), initial=0.0)
    if not largest <= MOST:  # as nothing is beside nan
        _refuse_wrong(table, column, values_NW, gaps)
        largest = np.max(np.abs(values_NW), initial=0.0, where=np.isfinite(values_NW))
    if 0 < largest < LEAST:
        raise HeadstartError(
            f"{table.path}: column {column!r} has no number beyond {largest:.1e}, whose variance "
            "would be 0 in float64; scale the column"
        )
    return values_NW


def _refuse_wrong(table: SourceTable, column: str, values_NW: Numbers, gaps: bool) -> None:
    """Refuse a cell that is no number, not finite or too large; with `gaps` one may be empty."""
    cells = table.column(column)
    empty_NW = (
        np.isnan(values_NW) & (_says_nothing(cells)[:, None] | _is_list(cells.type))
        if gaps
        else False
    )
    for wrong_NW, expected in (
        (~np.isfinite(values_NW) & ~empty_NW, "a finite number"),
        (
            np.abs(values_NW) > MOST,
            f"a number of at most {MOST:.1e}, as float32 holds; scale the column",
        ),
    ):
        if wrong_NW.any():
            row, place = (int(i) for i in np.argwhere(wrong_NW)[0])
            cell = cells[row].as_py() if is_text(cells.type) else float(values_NW[row, place])
            advice = _advice(cell) if expected == "a finite number" else ""
            raise HeadstartError(
                f"{table.at(row)} has {shown(cell)} in column {column!r}, expected "
                f"{expected}{advice}"
            )


def like_gaps(what: str, names: Sequence[str]) -> list[str]:
    """A note where names of classes or clients are what programs write for a missing value; `what`
    each is.
    """
    found = [repr(name) for name in names if name.strip().lower() in NOTHING]
    if not found:
        return []
    return [f"{listed(found)} is {what} as any other; where it means a gap, leave its rows out"]


DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d.*)?")


def holds_times(kind: pa.DataType) -> bool:
    """Whether the cells of a column are dates, times or durations."""
    return bool(pa.types.is_temporal(kind))


def _advice(cell: object) -> str:
    if not isinstance(cell, str):
        return ""
    if cell.strip().lower() in NOTHING:
        return "; write gaps='mean' to put the mean of the training rows there"
    if DECIMAL_COMMA.fullmatch(cell.strip()):
        return "; write decimal points, as pandas.read_csv(file, decimal=',').to_csv(...) does"
    if DATE.fullmatch(cell.strip()):
        return "; a date is no number: leave it out by naming the features, or write days"
    return "; a column of words goes into categories, or is left out by naming the features"


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _says_nothing(cells: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Which cells [N] are empty, or hold a word for that, or what is no number."""
    if is_text(cells.type):
        return np.array(
            [cell is None or cell.strip().lower() in NOTHING for cell in cells.to_pylist()],
            np.bool_,
        )
    return np.asarray(pc.is_null(cells, nan_is_null=pa.types.is_floating(cells.type)).to_numpy())


def _flat(table: SourceTable, column: str, cells: pa.ChunkedArray, gaps: bool) -> Numbers:
    """The numbers [N] of a column without lists; nan where there is none."""
    kind = cells.type
    if is_text(kind):
        trimmed = pc.utf8_trim_whitespace(cells)
        try:
            return np.asarray(pc.cast(trimmed, pa.float64()).to_numpy(), dtype=np.float64)
        except pa.ArrowInvalid:
            return np.array([_number(cell) for cell in cells.to_pylist()])
    if pa.types.is_temporal(kind):
        return _seconds(table, column, cells)
    if pa.types.is_decimal(kind):
        cells = cells.cast(pa.float64())
    elif pa.types.is_boolean(kind):
        cells = cells.cast(pa.uint8()).cast(pa.float64())
    elif pa.types.is_integer(kind):
        cells = cells.cast(pa.float64(), safe=False)  # as numpy rounds whole numbers above 2^53
    elif not pa.types.is_floating(kind) and not pa.types.is_null(kind):
        raise HeadstartError(f"{table.path}: expected numbers in column {column!r}, got {kind}")
    return np.asarray(cells.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _seconds(table: SourceTable, column: str, cells: pa.ChunkedArray) -> Numbers:
    kind = cells.type
    if pa.types.is_date(kind):
        unit, whole = (86400.0, pa.int32()) if pa.types.is_date32(kind) else (1e-3, pa.int64())
    elif hasattr(kind, "unit"):
        unit, whole = SECONDS[kind.unit], pa.int32() if pa.types.is_time32(kind) else pa.int64()
    else:
        raise HeadstartError(f"{table.path}: expected numbers in column {column!r}, got {kind}")
    counted = cells.cast(whole).cast(pa.float64(), safe=False)
    return np.asarray(counted.to_numpy(), dtype=np.float64) * unit


def _lists(table: SourceTable, column: str, cells: pa.ChunkedArray) -> Numbers:
    """The numbers [N, W] of lists of one length, also of nested ones; nan in each of a list that is
    not there.
    """
    held = np.flatnonzero(np.asarray(pc.is_valid(cells).to_numpy()))
    flat, width = cells.drop_null().combine_chunks(), 1
    flat = pa.concat_arrays(flat.chunks) if isinstance(flat, pa.ChunkedArray) else flat
    while _is_list(flat.type):
        lengths = np.asarray(pc.list_value_length(flat).to_numpy(zero_copy_only=False))
        # An inner list that is not there is none of that length.
        if len(lengths) and (lengths != lengths[0]).any():
            place = int((lengths != lengths[0]).argmax())
            raise HeadstartError(
                f"{table.at(int(held[place // width]))} has a list of {lengths[place]:g} numbers "
                f"in column {column!r}, expected {lengths[0]:g} as in the first; give each row "
                "as many"
            )
        width *= int(lengths[0]) if len(lengths) else 1
        flat = flat.flatten()
    if not width:
        raise HeadstartError(
            f"{table.path}: expected numbers in the lists of column {column!r}, got empty lists"
        )
    if not (
        pa.types.is_integer(flat.type)
        or pa.types.is_floating(flat.type)
        or pa.types.is_boolean(flat.type)
    ):
        raise HeadstartError(
            f"{table.path}: expected lists of numbers in column {column!r}, got {cells.type}"
        )
    whole = flat.cast(pa.uint8()) if pa.types.is_boolean(flat.type) else flat
    values_NW = np.full((len(cells), width), np.nan)
    values_NW[held] = np.asarray(
        whole.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    ).reshape(len(held), width)
    return values_NW


def words(table: SourceTable, column: str, known: Sequence[str]) -> npt.NDArray[np.object_]:
    """A column of text [N], each cell one of the known words, whatever blanks are around it and in
    any case.

    Raises:
        HeadstartError: another type, or another word, with its row.
    """
    cells, expected = table.column(column), f"{', '.join(known[:-1])} or {known[-1]}"
    if not is_text(cells.type):
        raise HeadstartError(
            f"{table.path}: expected {expected} in column {column!r}, got {cells.type}"
        )
    values = np.asarray([cell.strip().lower() for cell in cells.to_pylist()], dtype=object)
    wrong = ~np.isin(values, known)
    if wrong.any():
        row = int(wrong.argmax())
        raise HeadstartError(
            f"{table.at(row)} has {shown(cells[row].as_py())} in column {column!r}, expected "
            f"{expected}"
        )
    return values


def texts(table: SourceTable, column: str) -> list[str]:
    """A column of text.

    Raises:
        HeadstartError: another type.
    """
    cells = table.column(column)
    if not is_text(cells.type):
        raise HeadstartError(f"{table.path}: expected text in column {column!r}, got {cells.type}")
    return list(cells.to_pylist())


_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def _number(cell: str | None) -> float:
    """The number that a cell of text is, as everybody writes it: Python reads 1_0 as 10, too."""
    return float(cell) if cell is not None and _NUMBER.fullmatch(cell) else np.nan
