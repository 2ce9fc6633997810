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
SPLITS = ("train", "validation", "test")
FEW_ROWS = 3
"""With fewer rows a label, on average, the labels may be no classes at all."""


WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
"""How files and folders of splits are called: `train.csv`, `X_test.csv`, `val`."""
EXACT = re.compile(rf"({'|'.join(WORDS)})([-_.]?[0-9]+|-of-[0-9]+)*", re.IGNORECASE)
"""A name of a split alone: `train`, `train1`, `train-00000-of-00002`."""
NEARLY_TRAIN = re.compile("train", re.IGNORECASE)
NEARLY_TEST = re.compile("test|valid|hold.?out|eval", re.IGNORECASE)


def split_by_place(path: Path, client: str | None) -> str | None:
    """`(file)` or `(folder)` where all files of a folder are called after splits, some train and
    some test, or lie so.

    Where these names are the clients, they are splits only if they say nothing else:
    `test-hospital` is a client.

    Raises:
        HeadstartError: the files cannot be read, or some are called after splits and others are
            not: rows to test on would be drawn into training.
    """
    if not path.is_dir():
        return None
    found = files_of(path)
    by_splits, exactly = [], []
    for way in (FILE, FOLDER):
        said = {_split_of(file, path, way) for file in found}
        if {"train", "test"} <= said <= set(SPLITS):
            by_splits.append(way)
            if all(_is_exact(file, path, way) for file in found):
                exactly.append(way)
    for way in (*exactly, *by_splits):
        if client != way or way in exactly:
            return way
    for way in (FILE, FOLDER):
        if client != way:
            _refuse_some(path, found, way, client)
    return None


def _refuse_some(path: Path, found: Sequence[Path], way: str, client: str | None) -> None:
    said = [_split_of(file, path, way) for file in found]
    some = len(set(said)) > 1
    if not some and not _nearly_say_splits(path, found, way, client):
        return
    first = next((i for i, split in enumerate(said) if split), 0)
    second = next((i for i, split in enumerate(said) if split != said[first]), len(said) - 1)
    one, other = str(found[first].relative_to(path)), str(found[second].relative_to(path))
    raise HeadstartError(
        f"{path}: {one!r} and {other!r} seem to be splits, but not all files are called after "
        "train and test; rename them (train, validation, test), or write split: and the column "
        "that says it"
    )


def _nearly_say_splits(path: Path, found: Sequence[Path], way: str, client: str | None) -> bool:
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


def _split_of(file: Path, path: Path, way: str) -> str | None:
    """The split that the name of a file says, or that of one of its folders.

    A folder of a key and a value says none: the key is a column, which `split` may name.

    >>> _split_of(Path("d/X_val1.csv"), Path("d"), "(file)")
    'validation'
    >>> _split_of(Path("d/test/a/b.csv"), Path("d"), "(folder)")
    'test'
    """
    for name in _names(file, path, way):
        words_of_name = [] if "=" in name else re.split("[^a-z]+", name.lower())
        said = {WORDS.get(word) for word in words_of_name} - {None}
        if len(said) == 1:
            return said.pop()
    return None


def _placed_splits(table: SourceTable, way: str) -> npt.NDArray[np.object_]:
    said = [_split_of(file, table.path, way) for file in table.files]
    if None in said:
        kind = way.strip("()")
        raise HeadstartError(
            f"{table.files[said.index(None)]}: expected a {kind} whose name says train, "
            "validation or test"
        )
    rows = np.diff([*table.starts.tolist(), len(table)])
    return np.repeat(np.array(said, dtype=object), rows)


def splits_of(
    table: SourceTable,
    column: str | None,
    owners: Rows | None,
    split_by: Literal["client", "row"] | None,
    test: float,
    validation: float,
    seed: int,
) -> dict[str, Mask]:
    """Which rows [N] are in each split.

    Args:
        table: the rows.
        column: the column that says the split of a row, or the name of a folder or file.
        owners: the number of the client of each row [N], where one is known.
        split_by: what is drawn for the splits that nothing says: clients, or rows.
        test: the share of them to test on.
        validation: the share of the rest to validate on.
        seed: of the draw.

    Raises:
        HeadstartError: another word in the column, a split without rows, or clients to draw where
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
        splits = {"train": ~drawn, "validation": np.zeros_like(drawn), "test": drawn}
    else:
        said = (
            _placed_splits(table, column)
            if column in (FILE, FOLDER)
            else words(table, column, SPLITS)
        )
        tested = 0
        splits = {split: said == split for split in SPLITS}
        for split in ("train", "test"):
            if not splits[split].any():
                raise HeadstartError(f"{table.path}: no row is {split} in column {column!r}")
        if split_by is not None and (splits["validation"].any() or not validation):
            raise HeadstartError(
                f"table.split_by: nothing is drawn where column {column!r} says whether a row is "
                "train, validation or test; leave it out"
            )
    if not splits["validation"].any():
        left = order[tested:] if column is None else order[np.isin(order, units[splits["train"]])]
        drawn = splits["train"] & np.isin(units, left[: round(validation * len(left))])
        splits["train"], splits["validation"] = splits["train"] & ~drawn, drawn
    if not splits["train"].any():
        raise HeadstartError(
            f"{table.path}: no row is left to train on of {len(table)}; draw smaller splits to "
            "test and tune"
        )
    return splits


def with_known_labels(
    table: SourceTable,
    splits: dict[str, Mask],
    labels: Rows,
    names: tuple[str, ...],
    column: str,
    unseen: Literal["error", "keep", "drop"],
) -> dict[str, Mask]:
    """The splits, where rows whose label no training row has are left out on request.

    Args:
        table: the rows, for a message that says where one is.
        splits: which rows [N] are in each split.
        labels: the class of each row [N].
        names: the names of classes.
        column: the column that they come from.
        unseen: what to do about such rows: refuse, keep or drop them.

    Raises:
        HeadstartError: there are such rows, and nothing is said about them.
    """
    new = ~np.isin(labels, labels[splits["train"]])
    if unseen == "drop":
        return {name: mask & ~new for name, mask in splits.items()}
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
    return splits


def only_learned(labels: Rows, names: tuple[str, ...], train: Mask) -> tuple[Rows, tuple[str, ...]]:
    """The classes that training rows have, and the class of each row [N] among them; 0 for rows of
    others, which are in no split.
    """
    learned = np.unique(labels[train])
    place = np.zeros(len(names), dtype=labels.dtype)
    place[learned] = np.arange(len(learned))
    return place[labels], tuple(names[i] for i in learned)
