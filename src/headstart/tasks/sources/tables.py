"""A user's files as a table: Parquet, CSV, JSON lines or LEAF's JSON, one file or a folder of such.

Rows are counted from 0 in each file, a CSV file's header and lines without anything not among them.
Where a file lies gives columns too: `(file)` is its name without the ending, `(folder)` that of its
folder, and a folder `clinic=north` gives `north` to the column `clinic` of all files within, as
Spark, pandas and polars write it.
"""

import re
import urllib.parse
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headstart import files
from headstart.errors import HeadstartError, nearest, reason
from headstart.tasks.sources import delimited, objects
from headstart.tasks.sources.parquet import parquet, parquet_names, refuse_gaps

FILE, FOLDER = "(file)", "(folder)"
PARQUET, CSV, LINES, JSON = {".parquet", ".pq"}, {".csv", ".tsv"}, {".jsonl", ".ndjson"}, {".json"}
KINDS = (PARQUET, CSV, LINES, JSON)
NUMBERING = re.compile(r"\s*|Unnamed: [0-9]+(\.[0-9]+)*|\.\.\.[0-9]+|__index_level_[0-9]+__")
"""How pandas and readr call a column of row numbers that nobody named."""
PICTURE = re.compile(r"\.(png|jpe?g|gif|bmp|webp|tiff?|ppm)$", re.IGNORECASE)
"""How files of images are called."""
EXPECTED = "expected a file .parquet, .csv, .jsonl or .json, or a folder of such files"


@dataclass(frozen=True)
class SourceTable:
    """Columns of one file, or of several one after another; `starts` is the row of each file's
    first.
    """

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
        file = self.file_of(row)
        return f"{self.files[file]}: row {row - self.starts[file]}"

    def file_of(self, row: int) -> int:
        """The place of the file that a row is in."""
        return int(np.searchsorted(self.starts, row, "right")) - 1


@dataclass(frozen=True)
class Heading:
    """The columns of a table by name; `numbering` are those that only number its rows, as who wrote
    it says.
    """

    columns: list[str]
    numbering: list[str] = field(default_factory=list)


def files_of(path: Path) -> list[Path]:
    """The file itself, or those of a folder, all of one kind, in the order of their names.

    Where a folder has none, they are those of all folders within.

    Raises:
        HeadstartError: a file of no known kind, or a folder with none of one or with several kinds.
    """
    with files.explained(path, "read"):
        if not path.is_dir():
            if _kind(path) is None:
                raise HeadstartError(f"{path}: {EXPECTED}, got {path.name!r}")
            return [path]
        found = _tables(path, path.iterdir()) or _tables(path, path.rglob("*"))
    if not found:
        raise HeadstartError(f"{path}: {EXPECTED}; the folder has none{_images(path)}")
    if other := [file.name for file in found if _kind(file) != _kind(found[0])]:
        raise HeadstartError(
            f"{path}: expected files of one kind, got {found[0].name!r} and {other[0]!r}"
        )
    return found


def header(path: Path) -> Heading:
    """The columns of the file, of a folder those of all its files, and what the names of folders
    give.

    Raises:
        HeadstartError: the file cannot be read, is of no known kind, is empty, or has a name twice.
    """
    found = files_of(path)
    columns: dict[str, None] = {}
    numbering: dict[str, None] = {}
    for file in found:
        heading = _header(file)
        columns |= dict.fromkeys(heading.columns)
        numbering |= dict.fromkeys(heading.numbering)
    given = [name for name in _placed(found[0], path) if name not in (FILE, FOLDER, *columns)]
    return Heading([*columns, *given], list(numbering))


def read(path: Path, columns: Sequence[str], with_gaps: Collection[str] = ()) -> SourceTable:
    """Those columns, in which no cell is empty but in those `with_gaps`. Cells of a CSV file are
    text.

    Raises:
        HeadstartError: a column is missing, a row is damaged, a cell is empty, or a column has two
            types.
    """
    found = files_of(path)
    tables = [_read(file, columns, with_gaps, _placed(file, path)) for file in found]
    try:
        tables = _of_one_precision(tables)
        joined = pa.concat_tables(tables, promote_options="permissive") if tables[1:] else tables[0]
    except pa.ArrowException as error:
        raise HeadstartError(
            f"{path}: the types of a column differ between files: {reason(error)}"
        ) from error
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    return SourceTable(path, tuple(found), starts, joined)


def _of_one_precision(tables: list[pa.Table]) -> list[pa.Table]:
    """Where some files have float64 in a column and others float32, these as the shortest decimals
    that they are.

    Else 0.1 of the one would be 0.10000000149011612 beside that of the other, as a name another
    one.
    """
    precise: set[str] = set()
    for table in tables:
        precise.update(field.name for field in table.schema if pa.types.is_float64(field.type))
    made = []
    for table in tables:
        for place, column in enumerate(table.schema):
            if column.name in precise and pa.types.is_float32(column.type):
                cells = table[column.name]
                values = cells.to_numpy().astype(str).astype(np.float64)
                nothing = cells.is_null().to_numpy()
                table = table.set_column(place, column.name, pa.array(values, mask=nothing))
        made.append(table)
    return made


def first_twice(names: Iterable[str]) -> str | None:
    """The first name that is there before already.

    >>> first_twice(["x", "y", "x"])
    'x'
    """
    known: set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return None


def _kind(path: Path) -> set[str] | None:
    return next((kind for kind in KINDS if path.suffix.lower() in kind), None)


def _tables(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Files of a known kind; those that programs hide, or leave while they write, are none."""
    found = []
    for path in paths:
        if _kind(path) and not _is_hidden(path.relative_to(folder)) and path.is_file():
            found.append(path)
    return sorted(found)


def _images(folder: Path) -> str:
    """How to make a table of a folder of images; nothing where it has none."""
    for path in folder.rglob("*"):
        if PICTURE.search(path.name):
            example = path.relative_to(folder).as_posix()
            return (
                f", but images such as {example!r}: put a file labels.csv there with a row for "
                "each, image,label,client (its path in the folder, its class, whose it is)"
            )
    return ""


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _placed(file: Path, path: Path) -> dict[str, str]:
    """The columns that the place of a file gives.

    >>> _placed(Path("visits/clinic=north%20sea/1.csv"), Path("visits"))
    {'clinic': 'north sea', '(file)': '1', '(folder)': 'clinic=north%20sea'}
    """
    folders = file.relative_to(path).parts[:-1] if file != path else ()
    pairs = [folder.partition("=") for folder in folders if "=" in folder]
    given = {key: urllib.parse.unquote(value) for key, _, value in pairs}
    return {**given, FILE: file.stem, FOLDER: file.absolute().parent.name}


def _header(path: Path) -> Heading:
    kind = _kind(path)
    index: list[str] = []
    if kind is PARQUET:
        names, index = parquet_names(path)
    elif kind is CSV:
        names = delimited.names(path)
    else:
        names = objects.names(path, lines=kind is LINES)
    if not names:
        raise HeadstartError(f"{path} is empty: expected the names of columns, and rows")
    named = [name for name in names if name.strip()]
    if broken := [name for name in named if objects.HALVES.search(name)]:
        raise HeadstartError(
            f"{path}: expected text without halves of surrogate pairs as a column's name, got "
            f"{broken[0]!r}"
        )
    if (twice := first_twice(named)) is not None:
        raise HeadstartError(f"{path}: the column {twice!r} is there twice")
    columns = list(dict.fromkeys(names))
    return Heading(
        columns, [name for name in columns if name in index or NUMBERING.fullmatch(name)]
    )


def _read(
    path: Path, columns: Sequence[str], with_gaps: Collection[str], placed: Mapping[str, str]
) -> pa.Table:
    names = _header(path).columns
    known = set(names)
    inside = [name for name in columns if name in known]
    for name in columns:
        if name not in known and name not in placed:
            raise HeadstartError(f"{path}: no column {name!r}{nearest(name, [*names, *placed])}")
    kind = _kind(path)
    if not inside:  # what the place of a file gives is in as many rows as the file has
        inside = names[:1]
        with_gaps = {*with_gaps, *inside}
    if kind is PARQUET:
        table = parquet(path, inside, with_gaps)
    else:
        table = (
            delimited.table(path, inside)
            if kind is CSV
            else objects.table(path, inside, lines=kind is LINES)
        )
        refuse_gaps(table, path, with_gaps)
    for name in columns:
        if name not in known:
            table = table.append_column(name, pa.array([placed[name]] * len(table), pa.string()))
    return table.select(list(columns))
