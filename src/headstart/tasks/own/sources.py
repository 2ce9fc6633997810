"""A user's Parquet, CSV or JSON-lines file, or a folder of such, as a table.

Rows are counted from 0 in each file, a CSV file's header and lines without anything not among them.
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from headstart import files
from headstart.errors import HeadstartError, nearest
from headstart.tasks.data_files import parquet
from headstart.validation import shown

PARQUET, CSV, JSON_LINES = {".parquet", ".pq"}, {".csv"}, {".jsonl", ".ndjson"}
KINDS = (PARQUET, CSV, JSON_LINES)
LONGEST = 2**26
"""The most bytes of a row of a CSV file: pyarrow reads it in blocks of so many, and no row may be in three."""
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which JSON can write and UTF-8 cannot."""


@dataclass(frozen=True)
class Table:
    """Columns of one file, or of several one after another; `starts` is the row of each file's first."""

    path: Path
    files: tuple[Path, ...]
    starts: npt.NDArray[np.int64]
    columns: pa.Table

    def __len__(self) -> int:
        return len(self.columns)

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of a column."""
        return self.columns[name]

    def at(self, row: int) -> str:
        """A row as the user finds it: the file and the number in it."""
        file = int(np.searchsorted(self.starts, row, "right")) - 1
        return f"{self.files[file]}: row {row - self.starts[file]}"


def files_of(path: Path) -> list[Path]:
    """The file itself, or those of a folder, all of one kind, in the order of their names.

    Raises:
        HeadstartError: a file of no known kind, or a folder with none of one or with several kinds.
    """
    expected = "expected a file .parquet, .csv or .jsonl, or a folder of such files"
    if not path.is_dir():
        if _kind(path) is None:
            raise HeadstartError(f"{path}: {expected}, got {path.name!r}")
        return [path]
    with files.explained(path, "read"):
        found = sorted(file for file in path.iterdir() if _kind(file) and not file.name.startswith((".", "_")))
    if not found:
        raise HeadstartError(f"{path}: {expected}; the folder has none")
    if other := [file.name for file in found if _kind(file) != _kind(found[0])]:
        raise HeadstartError(f"{path}: expected files of one kind, got {found[0].name!r} and {other[0]!r}")
    return found


def column_names(path: Path) -> list[str]:
    """The columns of the file, of a folder those of its first file; of JSON lines, the keys of the first.

    Raises:
        HeadstartError: the file cannot be read, is of no known kind, is empty, or has a name twice.
    """
    return _names(files_of(path)[0])


def read(path: Path, columns: Sequence[str]) -> Table:
    """Those columns, in which no cell is empty. Cells of a CSV file are text.

    Raises:
        HeadstartError: a column is missing, a row is damaged, a cell is empty, or a column has two types.
    """
    found = files_of(path)
    tables = [_read(file, columns) for file in found]
    try:
        joined = pa.concat_tables(tables, promote_options="permissive") if tables[1:] else tables[0]
    except pa.ArrowException as error:
        raise HeadstartError(f"{path}: the types of a column differ between files: {_first_line(error)}") from error
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    return Table(path, tuple(found), starts, joined)


def _kind(path: Path) -> set[str] | None:
    return next((kind for kind in KINDS if path.suffix.lower() in kind), None)


def _names(path: Path) -> list[str]:
    kind = _kind(path)
    try:
        with files.explained(path, "read"):
            if kind is PARQUET:
                names = list(pq.read_schema(path).names)
            else:
                with path.open(encoding="utf-8-sig", newline="") as opened:
                    names = _first_row(opened) if kind is CSV else _first_keys(opened, path)
    except pa.ArrowException as error:
        raise HeadstartError(f"{path} cannot be read as Parquet: {_first_line(error)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise HeadstartError(f"{path} cannot be read as text: {error}") from error
    if not names:
        raise HeadstartError(f"{path} is empty: expected the names of columns, and rows")
    if broken := [name for name in names if HALVES.search(name)]:
        raise HeadstartError(
            f"{path}: expected text without halves of surrogate pairs as a column's name, got {broken[0]!r}"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise HeadstartError(f"{path}: the column {twice[0]!r} is there twice")
    return names


def _first_row(lines: Any) -> list[str]:
    return next((row for row in csv.reader(lines) if row), [])


def _first_keys(lines: Any, path: Path) -> list[str]:
    first = next((line for line in lines if line.strip()), None)
    return [] if first is None else list(_object(first, 0, path))


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    names = _names(path)
    for name in columns:
        if name not in names:
            raise HeadstartError(f"{path}: no column {name!r}{nearest(name, names)}")
    if _kind(path) is PARQUET:
        return parquet(path, columns)
    table = _csv(path, columns) if _kind(path) is CSV else _json_lines(path, columns)
    for name in columns:
        if table[name].null_count:
            row = pc.index(pc.is_null(table[name]), True).as_py()
            raise HeadstartError(f"{path}: row {row} has nothing in column {name!r}")
    return table


def _csv(path: Path, columns: Sequence[str]) -> pa.Table:
    convert = pyarrow.csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        with files.explained(path, "read"):
            return pyarrow.csv.read_csv(
                path,
                read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=LONGEST),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=convert,
            )
    except pa.ArrowException as error:
        # pyarrow counts rows from 1, and the header is the first
        reason = re.sub(r".*Row #(\d+)", lambda found: f"row {int(found[1]) - 2}", _first_line(error))
        raise HeadstartError(f"{path} cannot be read as CSV: {reason}") from error


def _json_lines(path: Path, columns: Sequence[str]) -> pa.Table:
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    try:
        with files.explained(path, "read"), path.open(encoding="utf-8-sig") as opened:
            for row, line in enumerate(line for line in opened if line.strip()):
                found = _object(line, row, path)
                for name in columns:
                    cells[name].append(found.get(name))
    except UnicodeDecodeError as error:
        raise HeadstartError(f"{path} cannot be read as text: {error}") from error
    return pa.table({name: _of_one_type(values, name, path) for name, values in cells.items()})


def _object(line: str, row: int, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise HeadstartError(f"{path}: row {row} cannot be read as JSON: {error}") from error
    except ValueError as error:
        raise HeadstartError(f"{path}: row {row} has a whole number of more than 4300 digits") from error
    if not isinstance(found, dict):
        raise HeadstartError(f"{path}: row {row} is {shown(found)}, expected an object {{column: value}}")
    return found


def _of_one_type(values: list[Any], column: str, path: Path) -> pa.Array:
    first = next((value for value in values if value is not None), None)
    number = isinstance(first, int | float) and not isinstance(first, bool)
    for row, value in enumerate(values):
        same = type(value) is type(first) or (number and type(value) in (int, float))
        if value is not None and not (same and isinstance(value, bool | int | float | str)):
            raise HeadstartError(
                f"{path}: row {row} has {shown(value)} in column {column!r}, where row {values.index(first)} has "
                f"{shown(first)}; expected text in all rows, numbers, or true and false"
            )
    floats = number and any(isinstance(value, float) for value in values)
    try:
        return pa.array([None if value is None else float(value) for value in values] if floats else values)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        row = next(row for row, value in enumerate(values) if not _storable(value, floats))
        expected = "a number of fewer digits" if number else "text without halves of surrogate pairs"
        raise HeadstartError(
            f"{path}: row {row} has {shown(values[row])} in column {column!r}, expected {expected}"
        ) from error


def _storable(value: Any, as_float: bool) -> bool:
    if isinstance(value, int):
        return abs(value) < (2**1023 if as_float else 2**63)
    return not (isinstance(value, str) and HALVES.search(value))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
