"""Columns of a user's Parquet, CSV or JSON-lines file. Rows are counted from 0, a CSV file's header not among them."""

import csv
import io
import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from PIL import Image

from headstart import files
from headstart.errors import HeadstartError, nearest
from headstart.tasks.data_files import parquet
from headstart.validation import shown

PARQUET, CSV, JSON_LINES = {".parquet", ".pq"}, {".csv"}, {".jsonl", ".ndjson"}
Images = npt.NDArray[np.uint8]


def column_names(path: Path) -> list[str]:
    """The columns of the file; of JSON lines, the keys of the first.

    Raises:
        HeadstartError: the file cannot be read, is of no known kind, or has a name twice.
    """
    kind = path.suffix.lower()
    if kind not in PARQUET | CSV | JSON_LINES:
        raise HeadstartError(f"{path}: expected a file .parquet, .csv or .jsonl, got {path.name!r}")
    try:
        with files.explained(path, "read"):
            if kind in PARQUET:
                names = list(pq.read_schema(path).names)
            else:
                with path.open(encoding="utf-8-sig", newline="") as opened:
                    names = next(csv.reader(opened), []) if kind in CSV else list(_object(opened.readline(), 0, path))
    except pa.ArrowException as error:
        raise HeadstartError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise HeadstartError(f"{path} cannot be read as text: {error}") from error
    if twice := [name for name in names if names.count(name) > 1]:
        raise HeadstartError(f"{path}: the column {twice[0]!r} is there twice")
    return names


def read(path: Path, columns: Sequence[str]) -> pa.Table:
    """Those columns, in which no cell is empty. Cells of a CSV file are text.

    Raises:
        HeadstartError: a column is missing, a row is damaged, a cell is empty, or a column of JSON has two types.
    """
    names = column_names(path)
    for name in columns:
        if name not in names:
            raise HeadstartError(f"{path}: no column {name!r}{nearest(name, names)}")
    if path.suffix.lower() in PARQUET:
        return parquet(path, columns)
    table = _csv(path, columns) if path.suffix.lower() in CSV else _json_lines(path, columns)
    for name in columns:
        if table[name].null_count:
            raise HeadstartError(
                f"{path}: row {pc.index(pc.is_null(table[name]), True).as_py()} has nothing in column {name!r}"
            )
    return table


def numbers(table: pa.Table, column: str, path: Path) -> npt.NDArray[np.float64]:
    """A column of numbers [N]; true and false are 1 and 0, and text is read as a number.

    Raises:
        HeadstartError: a cell that is no finite number, with its row.
    """
    cells, kind = table[column], table.schema.field(column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise HeadstartError(f"{path}: expected numbers in column {column!r}, got {kind}")
        values = np.asarray(cells.to_numpy(), dtype=np.float64)
    else:
        try:
            values = np.asarray(pc.cast(pc.utf8_trim_whitespace(cells), pa.float64()).to_numpy())
        except pa.ArrowInvalid:
            values = np.array([_number(cell) for cell in cells.to_pylist()])
    if not np.isfinite(values).all():
        row = int((~np.isfinite(values)).argmax())
        raise HeadstartError(
            f"{path}: row {row} has {shown(cells[row].as_py())} in column {column!r}, expected a finite number"
        )
    return values


def classes(table: pa.Table, column: str, path: Path) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """The number [N] of each cell's class, and the names of the classes in their order.

    Whole numbers, also those written as text, are in the order of numbers; text is in that of its characters.

    Raises:
        HeadstartError: cells that cannot name a class, or numbers with fractions, of more than 100 values.
    """
    cells, kind = table[column], table.schema.field(column).type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise HeadstartError(f"{path}: expected text, whole numbers or true and false in column {column!r}, got {kind}")
    encoded = pc.dictionary_encode(cells).combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    values = encoded.dictionary.to_pylist()
    if any(value != value for value in values):
        row = int(np.isnan(np.asarray(cells.to_numpy(), dtype=np.float64)).argmax())
        raise HeadstartError(f"{path}: row {row} has nothing in column {column!r}")
    if pa.types.is_floating(kind) and len(values) > 100 and any(value % 1 for value in values):
        raise HeadstartError(
            f"{path}: column {column!r} has {len(values)} different numbers with fractions, expected classes; "
            "a quantity to predict is no class"
        )
    whole = all(re.fullmatch(r"0|-?[1-9][0-9]*", str(value)) for value in values)
    order = sorted(range(len(values)), key=lambda i: int(values[i]) if whole else values[i])
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values))
    return place[np.asarray(encoded.indices.to_numpy())], tuple(str(values[i]) for i in order)


def images(table: pa.Table, column: str, path: Path, size: tuple[int, ...], mode: Literal["RGB", "L"]) -> Images:
    """A column of images [N, channels, height, width]: encoded bytes, or paths from the folder of the file.

    `size`: height and width to which every image is scaled; where it is empty all must be as large as the first.

    Raises:
        HeadstartError: an image that is not there, cannot be decoded or is of another size, with its row.
    """
    cells, kind = table[column], table.schema.field(column).type
    if pa.types.is_struct(kind) and "bytes" in {field.name for field in kind}:
        cells = pc.struct_field(cells, "bytes")
    elif not any(is_it(kind) for is_it in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_binary)):
        raise HeadstartError(f"{path}: expected bytes or paths of images in column {column!r}, got {kind}")
    height, width = size or (0, 0)
    made: list[Images] = []
    for row, cell in enumerate(cells.to_pylist()):
        place = f"{path}: row {row} has an image in column {column!r}"
        try:
            content = (path.parent / cell).read_bytes() if isinstance(cell, str) else cell or b""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise HeadstartError(f"{place} that cannot be read: {shown(cell)}: {reason}") from error
        try:
            with Image.open(io.BytesIO(content)) as opened:
                image = opened.convert(mode)
        except Exception as error:  # whatever a damaged image may raise
            raise HeadstartError(f"{place} that cannot be decoded") from error
        height, width = (height, width) if height else (image.height, image.width)
        if (image.height, image.width) != (height, width):
            if not size:
                raise HeadstartError(
                    f"{place} of {image.height}x{image.width} pixels, expected {height}x{width} as in row 0; "
                    "give the task a size to scale them to"
                )
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        made.append(np.asarray(image).reshape(height, width, -1).transpose(2, 0, 1))
    return np.stack(made)


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
                read_options=pyarrow.csv.ReadOptions(use_threads=False),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=convert,
            )
    except pa.ArrowException as error:
        raise HeadstartError(f"{path} cannot be read as CSV: {str(error).splitlines()[0]}") from error


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
    if not isinstance(found, dict):
        raise HeadstartError(f"{path}: row {row} is {shown(found)}, expected an object {{column: value}}")
    return found


def _of_one_type(values: list[Any], column: str, path: Path) -> pa.Array:
    first = next((value for value in values if value is not None), None)
    number = isinstance(first, int | float) and not isinstance(first, bool)
    for row, value in enumerate(values):
        same = type(value) is type(first) or (number and type(value) in (int, float))
        if value is not None and not (same and isinstance(value, bool | int | float | str | date)):
            raise HeadstartError(
                f"{path}: row {row} has {shown(value)} in column {column!r}, where row {values.index(first)} has "
                f"{shown(first)}; expected text in all rows, numbers, or true and false"
            )
    if number and any(isinstance(value, float) for value in values):
        values = [None if value is None else float(value) for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, OverflowError) as error:
        raise HeadstartError(f"{path}: column {column!r} cannot be read: {str(error).splitlines()[0]}") from error


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
