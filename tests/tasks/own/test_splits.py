"""Which rows train, validate and test: as a column or a place says, or drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headstart.errors import HeadstartError
from headstart.tasks.own.splits import only_learned, split_by_place, splits_of, with_known_labels
from headstart.tasks.sources.tables import SourceTable


def table(rows: int, **columns: Any) -> SourceTable:
    found = pa.table({"n": list(range(rows)), **columns})
    return SourceTable(Path("t.csv"), (Path("t.csv"),), np.array([0]), found)


def drawn(rows: int, owners: Any, split_by: Any, test: float, validation: float) -> Any:
    return splits_of(table(rows), None, owners, split_by, test, validation, seed=0)


def test_rows_are_drawn_in_shares_and_each_once() -> None:
    splits = drawn(100, None, None, 0.2, 0.25)
    assert {name: int(mask.sum()) for name, mask in splits.items()} == {
        "train": 60,
        "validation": 20,
        "test": 20,
    }
    assert sum(mask.astype(int) for mask in splits.values()).tolist() == [1] * 100


def test_clients_are_drawn_whole() -> None:
    owners = np.arange(100) % 10
    splits = drawn(100, owners, None, 0.2, 0.0)
    for mask in splits.values():
        assert not set(owners[mask]) & set(owners[~mask])
    assert len(set(owners[splits["test"]])) == 2


def test_a_column_says_it_and_validation_is_drawn_of_training() -> None:
    said = ["train"] * 8 + ["test"] * 2
    splits = splits_of(table(10, split=said), "split", None, None, 0.2, 0.25, seed=0)
    assert splits["test"].tolist() == [False] * 8 + [True] * 2
    assert int(splits["validation"].sum()) == 2
    assert not (splits["validation"] & splits["test"]).any()


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: drawn(4, None, "client", 0.5, 0), "table.split_by: expected a client column"),
        (lambda: drawn(4, np.zeros(4, int), None, 0.5, 0), "expected several clients"),
        (lambda: drawn(1, None, None, 0.5, 0), "no row is left to train on of 1"),
        (
            lambda: splits_of(table(2, s=["train"] * 2), "s", None, None, 0.5, 0, 0),
            "no row is test in column 's'",
        ),
    ],
)
def test_what_cannot_be_split_is_one_line(call: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as raised:
        call()
    assert line in str(raised.value)


def test_files_called_after_splits_say_it(tmp_path: Path) -> None:
    for name in ("train.csv", "X_test.csv"):
        (tmp_path / name).write_text("a\n1\n")
    assert split_by_place(tmp_path, None) == "(file)"
    (tmp_path / "more.csv").write_text("a\n1\n")
    with pytest.raises(HeadstartError, match="not all files are called after train and test"):
        split_by_place(tmp_path, None)
    assert split_by_place(tmp_path / "train.csv", None) is None


def test_labels_that_no_training_row_has() -> None:
    labels = np.array([0, 2, 1, 2])
    masks = {"train": np.array([1, 1, 0, 0], bool), "test": np.array([0, 0, 1, 1], bool)}
    names = ("a", "b", "c")
    kept = with_known_labels(table(4), masks, labels, names, "y", "drop")
    assert kept["test"].tolist() == [False, False, False, True]
    assert with_known_labels(table(4), masks, labels, names, "y", "keep") is masks
    with pytest.raises(HeadstartError, match=r"row 2 has 'b' in column 'y', as no training row"):
        with_known_labels(table(4), masks, labels, names, "y", "error")
    found, left = only_learned(labels, names, masks["train"])
    assert (found.tolist(), left) == ([0, 1, 0, 1], ("a", "c"))
