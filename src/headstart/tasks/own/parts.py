"""Which rows of a user's table train, validate and test: as a column says, or drawn."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart import rng
from headstart.errors import HeadstartError
from headstart.tasks.base import Rows
from headstart.tasks.sources.columns import words
from headstart.tasks.sources.tables import FILE, FOLDER, SourceTable, files_of

Mask = npt.NDArray[np.bool_]
PARTS = ("train", "validation", "test")
FEW_ROWS = 3
"""With fewer rows a label, on average, the labels may be no classes at all."""


WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
"""How files and folders of parts are called: `train.csv`, `X_test.csv`, `val`."""
EXACT = re.compile(rf"({'|'.join(WORDS)})([-_.]?[0-9]+|-of-[0-9]+)*", re.IGNORECASE)
"""A name of a part alone: `train`, `train1`, `train-00000-of-00002`."""
NEARLY_TRAIN = re.compile("train", re.IGNORECASE)
NEARLY_TEST = re.compile("test|valid|hold.?out|eval", re.IGNORECASE)


def split_by_place(path: Path, client: str | None) -> str | None:
    """`(file)` or `(folder)` where all files of a folder are called after parts, some train and
    some test, or lie so.

    Where these names are the clients, they are parts only if they say nothing else: `test-hospital`
    is a client.

    Raises:
        HeadstartError: the files cannot be read, or some are called after parts and others are not:
            rows to test on would be drawn into training.
    """
    if not path.is_dir():
        return None
    found = files_of(path)
    by_parts, exactly = [], []
    for way in (FILE, FOLDER):
        said = {_part_of(file, path, way) for file in found}
        if {"train", "test"} <= said <= set(PARTS):
            by_parts.append(way)
            if all(_is_exact(file, path, way) for file in found):
                exactly.append(way)
    for way in (*exactly, *by_parts):
        if client != way or way in exactly:
            return way
    for way in (FILE, FOLDER):
        if client != way:
            _refuse_some(path, found, way, client)
    return None


def _refuse_some(path: Path, found: Sequence[Path], way: str, client: str | None) -> None:
    said = [_part_of(file, path, way) for file in found]
    some = len(set(said)) > 1
    if not some and not _nearly_say_parts(path, found, way, client):
        return
    first = next((i for i, part in enumerate(said) if part), 0)
    second = next((i for i, part in enumerate(said) if part != said[first]), len(said) - 1)
    one, other = str(found[first].relative_to(path)), str(found[second].relative_to(path))
    raise HeadstartError(
        f"{path}: {one!r} and {other!r} seem to be parts, but not all files are called after "
        "train and test; rename them (train, validation, test), or write split: and the column "
        "that says it"
    )


def _nearly_say_parts(path: Path, found: Sequence[Path], way: str, client: str | None) -> bool:
    """Whether some names, those of clients left out, hint at training and others at tests."""
    trains = tests = False
    for file in found:
        for name in _names(file, path, way):
            if not name.startswith(f"{client}="):
                trains = trains or bool(NEARLY_TRAIN.search(name))
                tests = tests or bool(NEARLY_TEST.search(name))
    return trains and tests


def _names(file: Path, path: Path, way: str) -> tuple[str, ...]:
    """The name of a file without its ending, or those of its folders."""
    inside = file.relative_to(path).parts if file != path else (file.name,)
    return (file.stem,) if way == FILE else inside[:-1]


def _is_exact(file: Path, path: Path, way: str) -> bool:
    return any(EXACT.fullmatch(name) for name in _names(file, path, way))


def _part_of(file: Path, path: Path, way: str) -> str | None:
    """The part that the name of a file says, or that of one of its folders.

    A folder of a key and a value says none: the key is a column, which `split` may name.

    >>> _part_of(Path("d/X_val1.csv"), Path("d"), "(file)")
    'validation'
    >>> _part_of(Path("d/test/a/b.csv"), Path("d"), "(folder)")
    'test'
    """
    for name in _names(file, path, way):
        words_of_name = [] if "=" in name else re.split("[^a-z]+", name.lower())
        said = {WORDS.get(word) for word in words_of_name} - {None}
        if len(said) == 1:
            return said.pop()
    return None


def _placed_parts(table: SourceTable, way: str) -> npt.NDArray[np.object_]:
    said = [_part_of(file, table.path, way) for file in table.files]
    if None in said:
        kind = way.strip("()")
        raise HeadstartError(
            f"{table.files[said.index(None)]}: expected a {kind} whose name says train, "
            "validation or test"
        )
    rows = np.diff([*table.starts.tolist(), len(table)])
    return np.repeat(np.array(said, dtype=object), rows)


def parts_of(
    table: SourceTable,
    column: str | None,
    owners: Rows | None,
    split_by: Literal["client", "row"] | None,
    test: float,
    validation: float,
    seed: int,
) -> dict[str, Mask]:
    """Which rows [N] are in each part.

    Args:
        table: the rows.
        column: the column that says the part of a row, or the name of a folder or file.
        owners: the number of the client of each row [N], where one is known.
        split_by: what is drawn for the parts that nothing says: clients, or rows.
        test: the share of them to test on.
        validation: the share of the rest to validate on.
        seed: of the draw.

    Raises:
        HeadstartError: another word in the column, a part without rows, or clients to draw where
            none are known.
    """
    if split_by == "client" and owners is None:
        raise HeadstartError(
            "table.split_by: expected a client column where clients are drawn, got none; name it"
        )
    units = owners if owners is not None and split_by != "row" else np.arange(len(table))
    count = int(units.max()) + 1
    order = rng.generator(seed, "table split").permutation(count)
    if count == 1 and column is None and owners is not None and split_by != "row":
        raise HeadstartError(
            f"{table.path}: expected several clients, of whom some test, got one; draw rows: "
            "split_by='row'"
        )
    if column is None:
        tested = max(1, round(test * count))
        drawn = np.isin(units, order[:tested])
        parts = {"train": ~drawn, "validation": np.zeros_like(drawn), "test": drawn}
    else:
        said = (
            _placed_parts(table, column)
            if column in (FILE, FOLDER)
            else words(table, column, PARTS)
        )
        tested = 0
        parts = {part: said == part for part in PARTS}
        for part in ("train", "test"):
            if not parts[part].any():
                raise HeadstartError(f"{table.path}: no row is {part} in column {column!r}")
    if not parts["validation"].any():
        left = order[tested:] if column is None else order[np.isin(order, units[parts["train"]])]
        drawn = parts["train"] & np.isin(units, left[: round(validation * len(left))])
        parts["train"], parts["validation"] = parts["train"] & ~drawn, drawn
    if not parts["train"].any():
        raise HeadstartError(
            f"{table.path}: no row is left to train on of {len(table)}; draw smaller parts to "
            "test and tune"
        )
    return parts


def with_known_labels(
    table: SourceTable,
    parts: dict[str, Mask],
    labels: Rows,
    names: tuple[str, ...],
    column: str,
    unseen: Literal["error", "keep", "drop"],
) -> dict[str, Mask]:
    """The parts, where rows whose label no training row has are left out on request.

    Args:
        table: the rows, for a message that says where one is.
        parts: which rows [N] are in each part.
        labels: the class of each row [N].
        names: the names of classes.
        column: the column that they come from.
        unseen: what to do about such rows: refuse, keep or drop them.

    Raises:
        HeadstartError: there are such rows, and nothing is said about them.
    """
    new = ~np.isin(labels, labels[parts["train"]])
    if unseen == "drop":
        return {name: mask & ~new for name, mask in parts.items()}
    if new.any() and unseen == "error":
        row = int(new.argmax())
        many = (
            f"{len(names)} labels in {len(table)} rows: is {column!r} the column of classes? if "
            "so, "
        )
        doubt = many if len(names) > len(table) / FEW_ROWS else ""
        raise HeadstartError(
            f"{table.at(row)} has {names[labels[row]]!r} in column {column!r}, as no training "
            f"row has ({int(new.sum())} such rows); {doubt}write unseen='keep' to count them as "
            "mistakes, or unseen='drop' to leave them out"
        )
    return parts
