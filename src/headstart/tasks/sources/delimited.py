"""CSV files, whose cells are text: between commas, or where the header has none, between semicolons
or tabs.
"""

import csv
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from headstart import files
from headstart.errors import HeadstartError, reason

LONGEST = 2**26
"""The most bytes of a row: pyarrow reads a file in blocks of so many, and no row may be in
three.
"""
SAVE = "save it as UTF-8"


def names(path: Path) -> list[str]:
    """The columns, as the first line that is not empty has them.

    Raises:
        HeadstartError: the file cannot be read, or is no text.
    """
    try:
        with files.explained(path, "read"), path.open(encoding="utf-8-sig", newline="") as opened:
            return next((row for row in csv.reader(opened, delimiter=_delimiter(path)) if row), [])
    except UnicodeDecodeError as error:
        raise HeadstartError(
            f"{path} cannot be read as text: {error.reason} at byte {error.start}; {SAVE}"
        ) from error
    except csv.Error as error:
        raise HeadstartError(f"{path} cannot be read as text: {error}") from error


def table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Those columns as text; cells without anything are null.

    Raises:
        HeadstartError: a row has more or fewer cells than the header, or the text is no UTF-8.
    """
    convert = pyarrow.csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    _refuse_open_quote(path)
    try:
        with files.explained(path, "read"):
            return pyarrow.csv.read_csv(
                path,
                read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=LONGEST),
                parse_options=pyarrow.csv.ParseOptions(
                    newlines_in_values=True, delimiter=_delimiter(path)
                ),
                convert_options=convert,
            )
    except pa.ArrowException as error:
        # pyarrow counts rows from 1, and the header is the first
        why = re.sub(r".*Row #(\d+)", lambda found: f"row {int(found[1]) - 2}", reason(error))
        advice = f"; {SAVE}" if "UTF8" in why else ""
        raise HeadstartError(f"{path} cannot be read as CSV: {why}{advice}") from error


def _refuse_open_quote(path: Path) -> None:
    """Refuse a file that ends within quotes: all lines after the first of them would be one cell.

    Raises:
        HeadstartError: it does.
    """
    with files.explained(path, "read"), path.open("rb") as raw:
        quotes = sum(block.count(b'"') for block in iter(partial(raw.read, 2**20), b""))
    if quotes % 2 == 0:
        return
    row = -1  # the header is none
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            for cells in csv.reader(opened, delimiter=_delimiter(path), strict=True):
                row += bool(cells)
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise HeadstartError(f"{path}: row {row} begins a quote that nothing ends") from error
    except UnicodeDecodeError:
        return  # said with its place by who reads the cells


def _delimiter(path: Path) -> str:
    """The sign between cells: a comma, unless the header has none and has semicolons or tabs."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        first = next((line for line in opened if line.strip()), "")
    return (
        "," if "," in first else max(";\t", key=first.count) if re.search("[;\t]", first) else ","
    )
