"""Columns that label rows."""

from pathlib import Path

import pyarrow as pa
import pytest

from headstart.errors import HeadstartError
from headstart.tasks.sources.labels import train_and_test, whole_numbers

FILE = Path("a.parquet")


def test_whole_numbers_are_in_their_range() -> None:
    table = pa.table({"label": [0, 9, 3]})
    assert whole_numbers(table, "label", FILE, below=10).tolist() == [0, 9, 3]
    with pytest.raises(HeadstartError, match=r"row 1 has 9 in column 'label', expected 0 to 8$"):
        whole_numbers(table, "label", FILE, below=9)
    with pytest.raises(HeadstartError, match=r"row 0 has -1 in column 'label', expected 0 or more"):
        whole_numbers(pa.table({"label": [-1]}), "label", FILE)
    with pytest.raises(
        HeadstartError, match="expected whole numbers in column 'label', got double"
    ):
        whole_numbers(pa.table({"label": [0.5]}), "label", FILE)


def test_rows_to_train_and_to_test_on_are_told_apart() -> None:
    train, test = train_and_test(pa.table({"split": ["train", "test", "train"]}), "split", FILE)
    assert (train.tolist(), test.tolist()) == ([0, 2], [1])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["train", "dev", "test"], "row 1 has 'dev' in column 'split', expected train or test"),
        (["train", "train"], "no row is test in column 'split'"),
        ([1, 2], "expected train or test in column 'split', got int64"),
    ],
)
def test_other_words_for_a_split_are_refused(words: list[object], line: str) -> None:
    with pytest.raises(HeadstartError, match=line):
        train_and_test(pa.table({"split": words}), "split", FILE)
