"""What the columns of a table might be: guesses from their names and values, each with its
reason.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.tasks.own.features import counts_rows
from headstart.tasks.sources.columns import DATE, NOTHING, numbers
from headstart.tasks.sources.names import alike_among, names, visible
from headstart.tasks.sources.tables import FILE, PICTURE, SourceTable, files_of, header, read

LOOKED_AT = 20_000
"""Rows whose values are looked at."""

LONGEST = 10_000
"""Characters of a cell that are looked at."""

READ_AT_ONCE = 2**26
"""So many bytes of the files, at the most, are columns that are read together: a wide table is not
read anew for each.
"""

MOST_CLASSES, FEWEST_ROWS = 50, 5
"""A column of so many values at most, of so many rows each at least, may be a label."""

MOST_WORDS = 30
"""A column of so many different words at most may be categories."""

DOCUMENT = 4.0
"""Words a cell, in the mean, from which on a column is text."""

LABELS = (
    "label target class y outcome diagnosis species category ill disease default churn response "
    "topic sentiment"
)
CLIENTS = (
    "client user site clinic hospital center centre patient writer author device sensor subject "
    "person customer owner station store shop school institution farm bank branch region speaker "
    "worker account group"
)
SPLITS = ("train", "validation", "test")
SHARD = re.compile(r"(part|shard|chunk|data|train|validation|test)[-_.]?\d.*", re.IGNORECASE)
"""How programs name the pieces that they cut a table into."""

NUMBERED, SMALLEST_SIDE = re.compile(r"(.*?)([0-9]+)", re.DOTALL), 4
"""Columns of one name and consecutive numbers, at least so many squared, may be pixels."""

ROWS_OF_A_CLIENT = 10
"""A column of so many rows a value, in the mean, may say better than the files of a folder whose a
row is.
"""


@dataclass(frozen=True)
class Column:
    """A column as it looks.

    kind: `number`, `words` (few words a cell), `text`, `image`, `date` or `other`. values: those
    that differ. whole: all are whole numbers. gaps: how many cells are empty, or among numbers a
    word for that, such as NA. rows: of how many cells this was seen. counts: it seems only to
    number the rows, so that a table whose features nobody names leaves it out.
    """

    name: str
    kind: str
    values: tuple[Any, ...]
    rows: int
    gaps: int = 0
    whole: bool = False
    counts: bool = False


def columns_of(path: Path) -> list[Column]:
    """The columns of a table, but those that only number its rows; of a folder of files also which
    file a row is from.

    Raises:
        HeadstartError: the table cannot be read.
    """
    found = header(path)
    names = [name for name in found.columns if name not in found.numbering]
    within = files_of(path)
    if len(within) > 1:
        names = [FILE, *names]
    size = sum(file.stat().st_size for file in within)
    at_once = max(1, len(names) * READ_AT_ONCE // max(1, size))
    looked: list[Column] = []
    for first in range(0, len(names), at_once):
        several = names[first : first + at_once]
        looked += _columns(path, several)
    return looked


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
    if best.name == FILE:
        return best, "each file is one"
    if _is_called(best.name, CLIENTS):
        return best, "by its name"
    return best, f"as it has {len(best.values)} values of several rows"


def spellings(path: Path, column: Column) -> tuple[int, list[str]]:
    """How many names a column has where those alike are one, and each group of several that are."""
    try:
        table = read(path, (column.name,), (column.name,))
        _, called = names(table, column.name, "keep", gaps=True)
    except HeadstartError:  # `check` says what is wrong with it, where it is used
        return len(column.values), []
    many, groups = len(called), []
    for group in alike_among(called):
        many -= len(group) - 1
        groups.append(" = ".join(map(visible, group)))
    return many, groups


def split_of(columns: list[Column]) -> Column | None:
    """The column that says which rows are for training and which for testing."""
    for column in columns:
        if {"train", "test"} <= set(column.values) <= set(SPLITS):
            return column
    return None


def side_of(names: Sequence[str]) -> int:
    """The side of a square image of which the columns seem to be the pixels: one name and
    consecutive numbers. 0 where they do not.

    >>> side_of([f"p{i}" for i in range(64)]), side_of(["p0", "p1", "p2", "p4"])
    (8, 0)
    """
    side = math.isqrt(len(names))
    first = NUMBERED.fullmatch(names[0]) if names else None
    if first is None or side < SMALLEST_SIDE or side * side != len(names):
        return 0
    head, number = first.groups()
    for place, name in enumerate(names, int(number)):
        if name != f"{head}{place:0{len(number)}}":
            return 0
    return side


def _columns(path: Path, names: list[str]) -> Iterator[Column]:
    """Yield each column as its first rows look, or all of what says the file.

    One that is damaged has no cells: `check` says what is wrong with it, where it is used.
    """
    try:
        table = read(path, names, names)
    except HeadstartError:
        if len(names) == 1:
            yield _column(names[0], [])
            return
        for name in names:
            yield from _columns(path, [name])
        return
    for name in names:
        cells = table.column(name)
        seen = _column(name, (cells if name == FILE else cells.slice(0, LOOKED_AT)).to_pylist())
        if seen.kind == "number" and not seen.counts and 2 * len(seen.values) >= seen.rows:
            seen = replace(seen, counts=_counts_rows(table, name))
        yield seen


def _counts_rows(table: SourceTable, name: str) -> bool:
    """Whether a column is left out of features that nobody names."""
    try:
        return counts_rows(table, name, numbers(table, name, gaps=True))
    except HeadstartError:
        return False


def _column(name: str, cells: list[Any]) -> Column:
    """What a column looks like by its cells."""
    if name != FILE and cells and (numbers := _numbers(cells)) is not None:
        return _of_numbers(name, numbers, len(cells))
    present = [_beginning(cell) for cell in cells if not _is_empty(cell)]
    gaps, rows = len(cells) - len(present), len(cells)
    if not present:
        return Column(name, "other", (), rows, gaps)
    if any(isinstance(cell, bytes | dict) for cell in present):
        return Column(name, "image", (), rows, gaps)
    if name == FILE:
        return Column(name, "words", _distinct(map(str, present)), rows, gaps)
    said = [cell for cell in present if not _says_nothing(cell)]
    if not said:
        return Column(name, "other", (), rows, len(cells))
    numbers = _numbers(said)
    if numbers is not None:
        return _of_numbers(name, numbers, rows)
    if not all(isinstance(cell, str | bool) for cell in present):
        return Column(name, "other", (), rows, gaps)
    words = [str(cell).strip() for cell in present]
    if all(isinstance(cell, str) and DATE.fullmatch(cell.strip()) for cell in said):
        return Column(name, "date", _distinct(words), rows, gaps)
    if all(map(PICTURE.search, words[:100])):
        return Column(name, "image", (), rows, gaps)
    length = sum(len(word.split()) for word in words) / len(words)
    kind = "text" if length >= DOCUMENT else "words"
    return Column(name, kind, _distinct(words), rows, gaps)


def _of_numbers(name: str, numbers: list[float], rows: int) -> Column:
    """A column that has these numbers and else gaps."""
    whole = all(map(float.is_integer, numbers))
    counts = whole and _counts(numbers)
    return Column(name, "number", _distinct(numbers), rows, rows - len(numbers), whole, counts)


def _beginning(cell: Any) -> Any:
    return cell[:LONGEST] if isinstance(cell, str) else cell


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


def _is_empty(cell: Any) -> bool:
    return cell in (None, "") or (isinstance(cell, float) and math.isnan(cell))


def _says_nothing(cell: Any) -> bool:
    """Whether a cell holds a word for a gap, such as NA."""
    return isinstance(cell, str) and cell.strip().lower() in NOTHING


def _counts(numbers: list[float]) -> bool:
    """Whether numbers are 0, 1, 2, ... or 1, 2, 3, ..., as if only to number the rows."""
    first, many = numbers[0], len(numbers)
    return many > 1 and first in (0, 1) and numbers == list(range(int(first), int(first) + many))


def _numbers(cells: Sequence[Any]) -> list[float] | None:
    """The cells as numbers; None where one is none."""
    kinds = set(map(type, cells))
    if not kinds <= {str, int, float}:
        return None
    try:
        numbers = list(map(float, cells))
    except (ValueError, OverflowError):
        return None
    if not all(map(math.isfinite, numbers)):
        return None
    if str in kinds and "_" in "".join(cell for cell in cells if isinstance(cell, str)):
        return None
    return numbers


def _is_called(name: str, names: str) -> bool:
    """Whether a column has one of these names, alone or as a word of its own.

    >>> _is_called("Client", "client user"), _is_called("userID", "client user")
    (True, True)
    >>> _is_called("clients", "client user"), _is_called("superuser", "client user")
    (True, False)
    """
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()
    words = set(re.split(r"[\W_]+", apart))
    singular = {word.removesuffix("s") for word in words}
    return not set(names.split()).isdisjoint(words | singular)


def _as_label(column: Column, last: Column) -> float:
    """How much a column looks like classes; 0 where it cannot be."""
    classes = len(column.values)
    if column.name == FILE or column.gaps or not 2 <= classes <= MOST_CLASSES:
        return 0.0
    is_whole = column.kind == "words" or (column.kind == "number" and column.whole)
    if column.rows < FEWEST_ROWS * classes or not is_whole:
        return 0.0
    score = 4.0 * _is_called(column.name, LABELS) - 2.0 * _is_called(column.name, CLIENTS)
    return score + 1.0 * (column is last) + 1.0 / classes + 0.5 * (column.kind == "words")


def _as_client(column: Column) -> float:
    """How much a column looks like whose a row is; 0 where it cannot be."""
    owners = len(column.values)
    if column.gaps or owners < 2 or 2 * owners > column.rows:
        return 0.0
    called = _is_called(column.name, CLIENTS) or _is_by_file(column)
    is_whole = column.kind == "words" or (column.kind == "number" and column.whole and called)
    if not is_whole or (owners < 5 and not called):
        return 0.0
    few = 3.0 * (column.name != FILE and owners * ROWS_OF_A_CLIENT <= column.rows)
    return 4.0 * called + called * few + 1.0 * (column.kind == "words") + min(owners, 1000) / 1000


def _is_by_file(column: Column) -> bool:
    """Whether the files of a folder are clients, and no splits or pieces of one table."""
    if column.name != FILE:
        return False
    return not all(name in SPLITS or SHARD.fullmatch(name) for name in column.values)
