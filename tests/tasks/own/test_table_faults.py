"""What is wrong with a table is one line with its place."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.tasks.own.small_tables import COLUMNS, DRAW, ROWS, WRITERS, changed, csv, parquet, task

from headstart.errors import HeadstartError


@pytest.mark.parametrize("number", ["3,5", "-1.234,5"])
def test_decimal_commas_are_called_so(tmp_path: Path, number: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x;y\n" + f"{number};a\n{number};b\n" * 20)
    with pytest.raises(
        HeadstartError, match=rf"row 0 has '{number}' in column 'x', .*; write decimal points, as p"
    ):
        task(file, features=["x"], label="y")


def test_numbers_whose_squares_are_nothing_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x,y\n" + "1e-200,a\n3e-200,b\n" * 20)
    with pytest.raises(
        HeadstartError, match=r"column 'x' has no number beyond 3.0e-200, whose variance would be 0"
    ):
        task(file, features=["x"], label="y")


FAULTS: list[tuple[str, dict[str, list[Any]], dict[str, Any], str]] = [
    ("csv", COLUMNS, {"client": "whom"}, "no column 'whom'; did you mean 'who'?"),
    ("csv", changed("x", 5, "2024-02-03 10:00"), {"features": ["x"]},
     "; a date is no number: leave it out by naming"),
    ("csv", changed("who", 5, ""), {"client": "who"}, "row 5 has nothing in column 'who'"),
    ("jsonl", changed("who", 6, None), {"client": "who"}, "row 6 has nothing in column 'who'"),
    ("parquet", changed("y", 7, None), {"features": ["x"]}, "row 7 has nothing in column 'y'"),
    ("csv", changed("x", 8, "much"), {"features": ["x"]},
     "row 8 has 'much' in column 'x', expected a finite number"),
    ("csv", changed("x", 9, "nan"), {"features": ["x"]},
     "row 9 has 'nan' in column 'x', expected a finite number"),
    ("parquet", changed("x", 3, np.inf), {"features": ["x"]},
     "row 3 has inf in column 'x', expected a finite number"),
    ("jsonl", changed("y", 4, 3), {"features": ["x"]},
     "row 4 has 3 in column 'y', where row 0 has '10'; expected text in all rows, numbers, lists "
     "of numbers,"),
    ("jsonl", changed("x", 4, True), {"features": ["x"]},
     "row 4 has True in column 'x', where row 0 has"),
    ("parquet", {**COLUMNS, "x": [["a"]] * ROWS}, {"features": ["x"]},
     "expected lists of numbers in column 'x', got"),
    ("parquet", {**COLUMNS, "y": [[1]] * ROWS}, {"features": ["x"]},
     "expected text, whole numbers or true and false"),
    ("csv", COLUMNS, {}, "row 0 has 'c0' in column 'who', expected a finite number"),
    ("csv", COLUMNS, {"features": ["x", "y"]},
     "expected one use for each column, got 'y' as label and features"),
    ("csv", COLUMNS, {"features": ["x"], "image": "n"},
     "expected image, features or text, got both image and feat"),
    ("csv", COLUMNS, {"features": ["x"], "split_by": "client"},
     "split_by: expected a client column"),
    ("csv", {**COLUMNS, "part": (["train"] * 18 + ["validation", "test"]) * (ROWS // 20)},
     {"features": ["x"], "split": "part", "split_by": "row"},
     "table.split_by: nothing is drawn where column 'part'"),
    ("csv", COLUMNS, {"features": ["x"], "words": 200},
     "table.words: expected it with text and a label"),
    ("csv", COLUMNS, {"features": ["x"], "split": "who"},
     "row 0 has 'c0' in column 'who', expected train, validation"),
    ("csv", COLUMNS, {"features": ["x"], "mean": [1.0, 2.0]},
     "table.mean: expected one number, or 1, got 2"),
    ("csv", COLUMNS, {"features": ["x"], "deviation": [0.0]},
     "table.deviation: expected numbers > 0, got 0.0"),
    ("csv", {**COLUMNS, "y": ["new" if c in ("c0", "c1", "c2") else "old" for c in COLUMNS["who"]],
             "part": ["test" if c in ("c0", "c1", "c2") else "train" for c in COLUMNS["who"]]},
     {"features": ["x"], "split": "part"},
     "row 0 has 'new' in column 'y', as no training row has (15 such rows)"),
    ("parquet", {**COLUMNS, "y": DRAW.normal(size=ROWS * 2).tolist(), "x": COLUMNS["x"] * 2,
                 "n": COLUMNS["n"] * 2, "who": COLUMNS["who"] * 2}, {"features": ["x"]},
                 "has 120 different numbers with fractions"),
    ("csv", COLUMNS, {"image": "who"},
     "row 0 has an image in column 'who' that cannot be read: 'c0': No such file"),
    ("csv", {name: [] for name in COLUMNS}, {"features": ["x"]},
     "expected at least one row, got none"),
    ("parquet", changed("x", 7, 1e300), {"features": ["x"]},
     "row 7 has 1e+300 in column 'x', expected a number of at"),
    ("csv", {**COLUMNS, "y": [f"{i}.5" for i in range(ROWS * 2)], "x": COLUMNS["x"] * 2,
             "n": COLUMNS["n"] * 2, "who": COLUMNS["who"] * 2}, {"features": ["x"]},
             "has 120 different numbers with fractions, 0.5 to"),
    ("parquet", {**COLUMNS, "part": [["train"]] * ROWS}, {"features": ["x"], "split": "part"},
     "expected train, validation or test in column 'part', got list"),
    ("jsonl", changed("who", 5, "\ud800"), {"client": "who"},
     "row 5 has '\\ud800' in column 'who', expected text"),
    ("jsonl", changed("n", 3, 2**63), {"features": ["n"]},
     "row 3 has 9223372036854775808 in column 'n', expected a"),
    ("jsonl", changed("x", 3, 10**400), {"features": ["x"]},
     "in column 'x', expected a number of fewer digits"),
    ("csv", changed("x", 4, 1e30), {"features": ["x"], "mean": [0.0], "deviation": [1e-30]},
     "row 4 is beyond float32 in column 'x', less 0 and divided by 1e-30"),
    ("parquet", {**COLUMNS, "x": pa.array([{"bytes": b"", "path": None}] * ROWS)}, {"image": "x"},
     "row 0 has nothing"),
    ("jsonl", {**COLUMNS, "\ud800": COLUMNS["x"]}, {"client": "who"},
     "as a column's name, got '\\ud800'"),
    ("csv", COLUMNS, {"features": ["x"], "test": 0.6, "validation": 0.6},
     "table: expected test and validation of less than 1 together, got 0.6 and 0.6"),
    ("csv", COLUMNS, {"label": None}, "table.label: expected the column of classes, got nothing"),
    ("csv", COLUMNS, {"text": "who", "mean": [0.0]},
     "table: expected mean and deviation with numbers or images"),
    ("parquet", COLUMNS, {"text": "x"}, "expected text in column 'x', got double"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "columns", "parameters", "message"), FAULTS)
def test_faults_get_one_line_with_file_row_and_column(
    kind: str,
    columns: dict[str, list[Any]],
    parameters: dict[str, Any],
    message: str,
    tmp_path: Path,
) -> None:
    file = WRITERS[kind](tmp_path / f"t.{kind}", columns)
    with pytest.raises(HeadstartError) as caught:
        task(file, **parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value) or str(caught.value).startswith("table")


def test_a_folder_that_is_no_table_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match="or a folder of such files; the folder has none"):
        task(tmp_path)
    parquet(tmp_path / "a.parquet", COLUMNS)
    other = parquet(tmp_path / "b.parquet", {**COLUMNS, "n": list(map(str, COLUMNS["n"]))})
    with pytest.raises(
        HeadstartError, match=r"types of a column differ between files: .* Field n has incompatible"
    ):
        task(tmp_path, features=["n"])
    other.unlink()
    csv(tmp_path / "b.csv", COLUMNS)
    with pytest.raises(
        HeadstartError, match=r"expected files of one kind, got 'a.parquet' and 'b.csv'"
    ):
        task(tmp_path)
