"""Columns that label rows: with whole numbers, and with the split that they belong to."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.tasks.sources.cell_types import is_text


def whole_numbers(
    table: pa.Table, column: str, path: Path, below: int | None = None
) -> npt.NDArray[np.int64]:
    """A column of whole numbers [N], 0 or more and less than `below`.

    Raises:
        HeadstartError: another type, or a number out of range, with its row.
    """
    if not pa.types.is_integer(table.schema.field(column).type):
        raise HeadstartError(
            f"{path}: expected whole numbers in column {column!r}, got "
            f"{table.schema.field(column).type}"
        )
    numbers = np.asarray(table[column].to_numpy(), dtype=np.int64)
    wrong = (numbers < 0) | (numbers >= (np.iinfo(np.int64).max if below is None else below))
    if wrong.any():
        row = int(wrong.argmax())
        expected = "0 or more" if below is None else f"0 to {below - 1}"
        raise HeadstartError(
            f"{path}: row {row} has {numbers[row]} in column {column!r}, expected {expected}"
        )
    return numbers


def train_and_test(
    table: pa.Table, column: str, path: Path
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows of `train` and those of `test`.

    Raises:
        HeadstartError: another word in the column, with its row, or a split without rows.
    """
    if not is_text(table.schema.field(column).type):
        raise HeadstartError(
            f"{path}: expected train or test in column {column!r}, got "
            f"{table.schema.field(column).type}"
        )
    words = np.asarray(table[column].to_pylist(), dtype=object)
    train, test = (np.flatnonzero(words == split) for split in ("train", "test"))
    if len(train) + len(test) < len(words):
        row = int((~np.isin(words, ["train", "test"])).argmax())
        raise HeadstartError(
            f"{path}: row {row} has {shown(words[row])} in column {column!r}, expected train or "
            "test"
        )
    for split, rows in (("train", train), ("test", test)):
        if not len(rows):
            raise HeadstartError(f"{path}: no row is {split} in column {column!r}")
    return train, test
