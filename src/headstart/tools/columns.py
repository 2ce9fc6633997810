"""What the columns of a table might be: guesses from their names and values, each with its reason."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.tasks.sources.columns import NOTHING
from headstart.tasks.sources.names import alike_among, names, visible
from headstart.tasks.sources.tables import FILE, files_of, header, read

LOOKED_AT = 20_000
"""Rows whose values are looked at."""

MOST_CLASSES, FEWEST_ROWS = 50, 5
"""A column of so many values at most, of so many rows each at least, may be a label."""

MOST_WORDS = 30
"""A column of so many different words at most may be categories."""

DOCUMENT = 4.0
"""Words a cell, in the mean, from which on a column is text."""

LABELS = "label target class y outcome diagnosis species category ill disease default churn response topic sentiment"
CLIENTS = (
    "client user site clinic hospital center centre patient writer author device sensor subject person customer owner "
    "station store shop school institution farm bank branch region speaker worker account group"
)
PARTS = ("train", "validation", "test")
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d.*)?")
SHARD = re.compile(r"(part|shard|chunk|data|train|validation|test)[-_.]?\d.*", re.IGNORECASE)
"""How programs name the pieces that they cut a table into."""
ROWS_OF_A_CLIENT = 10
"""A column of so many rows a value, in the mean, may say better than the files of a folder whose a row is."""


@dataclass(frozen=True)
class Column:
    """A column as it looks.

    kind: `number`, `words` (few words a cell), `text`, `image`, `date` or `other`. values: those that differ. whole:
    all are whole numbers. gaps: how many cells are empty, or among numbers a word for that, such as NA. rows: of how
    many cells this was seen. counts: 0, 1, 2, ... or 1, 2, 3, ..., as if only to number the rows.
    """

    name: str
    kind: str
    values: tuple[Any, ...]
    rows: int
    gaps: int = 0
    whole: bool = False
    counts: bool = False


def columns_of(path: Path) -> list[Column]:
    """The columns of a table, but those that only number its rows; of a folder of files also which file a row is from.

    Raises:
        HeadstartError: the table cannot be read.
    """
    found = header(path)
    names = [name for name in found.columns if name not in found.numbering]
    places = [FILE] if len(files_of(path)) > 1 else []
    return [_column(path, name) for name in (*places, *names)]


def label_of(columns: list[Column]) -> tuple[Column, str] | None:
    """The column that looks most like the classes, and why."""
    scored = [(_as_label(column, columns[-1]), column) for column in columns]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or score <= 0:
        return None
    why = "by its name" if _is_called(best.name, LABELS) else f"as it has {len(best.values)} values"
    return best, why


def client_of(columns: list[Column], label: str | None) -> tuple[Column, str] | None:
    """The column that looks most like whose a row is, and why."""
    scored = [(_as_client(column), column) for column in columns if column.name != label]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or score <= 0:
        return None
    by_rows = f"as it has {len(best.values)} values of several rows"
    why = "each file is one" if best.name == FILE else "by its name" if _is_called(best.name, CLIENTS) else by_rows
    return best, why


def spellings(path: Path, column: Column) -> tuple[int, list[str]]:
    """How many names a column has where those alike are one, and a text for each group of several that are."""
    try:
        called = names(read(path, (column.name,), (column.name,)), column.name, "keep", gaps=True)[1]
    except HeadstartError:  # `check` says what is wrong with it, where it is used
        return len(column.values), []
    groups = alike_among(called)
    return len(called) - sum(len(group) - 1 for group in groups), [" = ".join(map(visible, group)) for group in groups]


def split_of(columns: list[Column]) -> Column | None:
    """The column that says which rows are for training and which for testing."""
    for column in columns:
        if {"train", "test"} <= set(column.values) <= set(PARTS):
            return column
    return None


def _column(path: Path, name: str) -> Column:
    try:
        column = read(path, (name,), (name,)).column(name)
        cells = (column if name == FILE else column.slice(0, LOOKED_AT)).to_pylist()
    except HeadstartError:  # a damaged column; `check` says what is wrong with it, where it is used
        return Column(name, "other", (), 0)
    present = [cell for cell in cells if cell not in (None, "") and not _is_nan(cell)]
    gaps, rows = len(cells) - len(present), len(cells)
    if not present:
        return Column(name, "other", (), rows, gaps)
    if any(isinstance(cell, bytes | dict) for cell in present):
        return Column(name, "image", (), rows, gaps)
    if name == FILE:
        return Column(name, "words", tuple(sorted(set(map(str, present)))), rows, gaps)
    said = [cell for cell in present if not (isinstance(cell, str) and cell.strip().lower() in NOTHING)]
    if not said:
        return Column(name, "other", (), rows, len(cells))
    numbers = _numbers(said)
    if numbers is not None:
        gaps = len(cells) - len(said)
        whole = all(number.is_integer() for number in numbers)
        values = tuple(sorted(set(numbers)))
        first = numbers[0]
        counts = whole and len(numbers) > 1 and first in (0, 1) and numbers == [first + i for i in range(len(numbers))]
        return Column(name, "number", values, rows, gaps, whole, counts)
    if not all(isinstance(cell, str | bool) for cell in present):
        return Column(name, "other", (), rows, gaps)
    words = [str(cell).strip() for cell in present]
    if all(isinstance(cell, str) and DATE.fullmatch(cell.strip()) for cell in said):
        return Column(name, "date", tuple(sorted(set(words))), rows, gaps)
    if all(re.search(r"\.(png|jpe?g|gif|bmp|webp|tiff?|ppm)$", word, re.IGNORECASE) for word in words[:100]):
        return Column(name, "image", (), rows, gaps)
    length = sum(len(word.split()) for word in words) / len(words)
    return Column(name, "text" if length >= DOCUMENT else "words", tuple(sorted(set(words))), rows, gaps)


def _numbers(cells: Iterable[Any]) -> list[float] | None:
    numbers = []
    for cell in cells:
        try:
            number = float(cell) if isinstance(cell, str | int | float) and not isinstance(cell, bool) else math.nan
        except (ValueError, OverflowError):
            return None
        if not math.isfinite(number) or (isinstance(cell, str) and "_" in cell):
            return None
        numbers.append(number)
    return numbers


def _is_nan(cell: Any) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _is_called(name: str, names: str) -> bool:
    """Whether a column has one of these names, alone or as a word of its own.

    >>> [_is_called(name, "client user") for name in ("Client", "user_id", "userID", "superuser", "clients")]
    [True, True, True, False, True]
    """
    words = re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    return any(word in names.split() or word.removesuffix("s") in names.split() for word in words)


def _as_label(column: Column, last: Column) -> float:
    """How much a column looks like classes; 0 where it cannot be."""
    classes = len(column.values)
    if column.name == FILE or column.gaps or not 2 <= classes <= MOST_CLASSES or column.rows < FEWEST_ROWS * classes:
        return 0.0
    if column.kind not in ("number", "words") or (column.kind == "number" and not column.whole):
        return 0.0
    score = 4.0 * _is_called(column.name, LABELS) - 2.0 * _is_called(column.name, CLIENTS)
    return score + 1.0 * (column is last) + 1.0 / classes + 0.5 * (column.kind == "words")


def _as_client(column: Column) -> float:
    """How much a column looks like whose a row is; 0 where it cannot be."""
    owners = len(column.values)
    if column.gaps or owners < 2 or 2 * owners > column.rows or column.kind not in ("number", "words"):
        return 0.0
    by_file = column.name == FILE and not all(name in PARTS or SHARD.fullmatch(name) for name in column.values)
    called = _is_called(column.name, CLIENTS) or by_file
    if (column.kind == "number" and not (column.whole and called)) or (owners < 5 and not called):
        return 0.0
    few = 3.0 * (column.name != FILE and owners * ROWS_OF_A_CLIENT <= column.rows)
    return 4.0 * called + called * few + 1.0 * (column.kind == "words") + min(owners, 1000) / 1000
