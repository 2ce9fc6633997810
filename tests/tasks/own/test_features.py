"""Features of a table: no row numbers, gaps and categories as training rows have them,
lists and pixels in shape.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS, Task
from headstart.tasks.own.features import counts_rows
from headstart.tasks.sources.tables import SourceTable

DRAW = np.random.Generator(np.random.Philox(key=6))
ROWS = 20
PARTS = ["train"] * 12 + ["test"] * 8
PLAIN: dict[str, Any] = {"mean": [0.0], "deviation": [1.0], "validation": 0.0}
Y = [i % 2 for i in range(ROWS)]
X = [round(float(value), 2) for value in DRAW.normal(size=ROWS)]


def task(path: Path, **parameters: Any) -> Task:
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    return TASKS.build(TASKS.component({"table": {"path": str(path), "label": "y", **parameters}}))


def csv(path: Path, columns: dict[str, Any]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]))
    return path


def parquet(path: Path, columns: dict[str, Any], metadata: Any = None) -> Path:
    table = pa.table(columns)
    if metadata is not None:
        table = table.replace_schema_metadata({"pandas": json.dumps(metadata)})
    pq.write_table(table, path)
    return path


def inputs(made: Task) -> torch.Tensor:
    return torch.cat([made.train.inputs, made.test.inputs])


def refusal(path: Path, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        task(path, **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "Unnamed: 0", " ", "__index_level_0__", "Unnamed: 0.1", "Unnamed: 0.1.1", "...1"]
)
def test_what_pandas_and_r_number_rows_with_is_no_feature(name: str, tmp_path: Path) -> None:
    """A file sorted by label tells the label by the number of the row: .983 on noise."""
    numbers = [7, *range(ROWS - 1)]  # also where it counts nothing any more, as rows were removed
    made = task(csv(tmp_path / "t.csv", {name: numbers, "x": X, "y": Y}), **PLAIN)
    assert made.input_shape == (1,)
    left_out = name if name.strip() else repr(name)
    assert made.notes == ("features: x", f"left out, as they number the rows: {left_out}")


def test_the_index_that_pandas_wrote_to_parquet_is_no_feature(tmp_path: Path) -> None:
    columns = {"x": X, "y": Y, "visit": [17 * i % 50 for i in range(ROWS)]}
    index = {"index_columns": ["visit"]}
    assert task(parquet(tmp_path / "t.parquet", columns, index), **PLAIN).notes[0] == "features: x"
    assert task(parquet(tmp_path / "u.parquet", columns), **PLAIN).notes == ("features: x, visit",)
    counted = {"index_columns": [{"kind": "range", "start": 0, "stop": ROWS, "step": 1}]}
    assert task(parquet(tmp_path / "v.parquet", columns, counted), **PLAIN).notes == (
        "features: x, visit",
    )
    made = task(tmp_path / "t.parquet", features=["x", "visit"], **PLAIN)
    assert made.notes == ("features: x, visit",)


@pytest.mark.parametrize(
    "order", [range(ROWS), range(1, ROWS + 1), range(ROWS, 0, -1), DRAW.permutation(ROWS)]
)
def test_columns_that_count_the_rows_are_features_only_where_they_are_named(
    order: Any, tmp_path: Path
) -> None:
    file = csv(tmp_path / "t.csv", {"id": [int(i) for i in order], "x": X, "y": Y})
    made = task(file, **PLAIN)
    assert made.notes == ("features: x", "left out, as they number the rows: id")
    assert task(file, features=["id", "x"], **PLAIN).input_shape == (2,)
    alone = csv(tmp_path / "u.csv", {"id": [int(i) for i in order], "y": Y})
    assert (
        "no column is left for inputs: 'id' only counts the rows; if that is meant, name it"
        in refusal(alone)
    )


COUNTS: dict[str, Any] = {
    "gaps": np.sort(DRAW.permutation(900)[:200]),
    "tens": 10 * np.arange(200),
    "tens, in any order": 10 * DRAW.permutation(200),
    "halves": np.arange(200) + 0.5,
    "tenths": np.arange(200) / 10,
    "falling": 3 * np.arange(200, 0, -1) ** 2,
    "four sites count anew": np.tile(np.arange(50), 4),
    "a row is there twice": np.r_[0:100, 99, 100:199],
    "a row is there twice, in any order": DRAW.permutation(np.r_[0:100, 99, 100:199]),
    "seconds": 1_700_000_000 + np.cumsum(DRAW.integers(1, 90, 200)),
}


@pytest.mark.parametrize("way", COUNTS)
def test_what_counts_or_rises_from_row_to_row_is_a_feature_only_where_named(
    way: str, tmp_path: Path
) -> None:
    """A file sorted by its label tells the label by any of these: .99 on noise."""
    columns = {"n": COUNTS[way], "x": DRAW.normal(size=200), "y": [i // 100 for i in range(200)]}
    file = csv(tmp_path / "t.csv", columns)
    made = task(file, split_by="row", **PLAIN)
    assert made.notes == ("features: x", "left out, as they number the rows: n")
    assert task(file, features=["n", "x"], split_by="row", **PLAIN).input_shape == (2,)


@pytest.mark.parametrize("name", ["index", "level_0", "rowid", "row", "id", "ID", "row_id"])
def test_identifiers_that_all_differ_are_no_features(name: str, tmp_path: Path) -> None:
    numbers = DRAW.permutation(900)[:ROWS]  # a part of a larger table, shuffled
    made = task(csv(tmp_path / "t.csv", {name: numbers, "x": X, "y": Y}), **PLAIN)
    assert made.notes == ("features: x", f"left out, as they number the rows: {name}")
    places = csv(tmp_path / "u.csv", {name: [i * 7 % 5 for i in range(ROWS)], "x": X, "y": Y})
    assert task(places, **PLAIN).notes == (f"features: {name}, x",)


@pytest.mark.parametrize("name", ["X", "X.1"])
def test_row_numbers_that_r_read_are_no_features(name: str, tmp_path: Path) -> None:
    rising = np.sort(DRAW.permutation(900)[:12])  # too few rows to say so by the numbers alone
    columns = {name: rising, "x": X[:12], "y": Y[:12]}
    assert task(csv(tmp_path / "t.csv", columns), **PLAIN).notes[0] == "features: x"
    columns[name] = rising[::-1] % 37
    assert task(csv(tmp_path / "u.csv", columns), **PLAIN).notes == (f"features: {name}, x",)


@pytest.mark.parametrize(
    "values",
    [
        np.sort(DRAW.normal(size=200)),
        DRAW.permutation(900)[:200],
        np.sort(DRAW.integers(1990, 2020, 200)),
        np.tile(np.arange(5), 40),
        DRAW.integers(0, 300, 200),
        np.zeros(200),
    ],
)
def test_measurements_are_features(values: Any, tmp_path: Path) -> None:
    columns = {"n": values, "x": DRAW.normal(size=200), "y": [i // 100 for i in range(200)]}
    made = task(csv(tmp_path / "t.csv", columns), split_by="row", **PLAIN)
    assert made.notes == ("features: n, x",)


def test_each_file_of_a_folder_may_count_anew(tmp_path: Path) -> None:
    cells = SourceTable(
        tmp_path, (tmp_path / "a", tmp_path / "b"), np.array([0, 8]), pa.table({"x": [0] * 14})
    )
    counted = np.r_[0:8, 0:6].astype(float)[:, None]
    assert counts_rows(cells, "n", counted)
    counted[3] = 9.5
    assert not counts_rows(cells, "n", counted)
    assert not counts_rows(cells, "n", np.r_[0:7, 0:7].astype(float)[:, None])


def test_categories_are_zeros_and_ones_of_the_training_rows(tmp_path: Path) -> None:
    jobs = ["cook", "smith ", "cook", "nurse"] * 3 + ["cook", "baker"] * 4
    file = csv(tmp_path / "t.csv", {"x": X, "job": jobs, "y": Y, "part": PARTS})
    made = task(file, split="part", categories=["job"], **PLAIN)
    assert made.notes[0] == "features: x, job=cook, job=nurse, job=smith"
    expected = [
        [float(job.strip() == level) for level in ("cook", "nurse", "smith")] for job in jobs
    ]
    # A baker, whom no training row has, is all zeros.
    assert inputs(made)[:, 1:].tolist() == expected
    assert torch.equal(inputs(made)[:, 0], torch.tensor(X))
    only = task(file, split="part", categories=["job", "x"], features=[], **PLAIN)
    assert only.input_shape == (3 + len(set(X[:12])),)
    line = refusal(file, split="part")
    assert (
        "row 0 has 'cook' in column 'job', expected a finite number; a column of words goes into "
        "cat" in line
    )
    many = csv(
        tmp_path / "u.csv",
        {"x": range(3000), "id": [f"a{i}" for i in range(3000)], "y": [0, 1] * 1500},
    )
    assert "different names in training rows, expected at most 1000 of a category" in refusal(
        many, categories=["id"]
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_gaps_get_the_mean_of_the_training_rows_and_a_mark(kind: str, tmp_path: Path) -> None:
    x: list[Any] = [2.0, None, 4.0, 6.0] * 3 + [None, 8.0] * 4
    z = [5.0] * 12 + [None] + [1.0] * 7
    columns = {"x": x, "z": z, "job": [*"ab" * 9, None, "a"], "y": Y, "part": PARTS}
    if kind == "csv":
        file = csv(tmp_path / "t.csv", {n: [("", "NA",
                                             " ? ")[i % 3] if c is None and n != "job" else
                                           "" if c is None else c for i, c in enumerate(cs)]
                                        for n, cs in columns.items()})  # fmt: skip
    elif kind == "parquet":
        file = parquet(
            tmp_path / "t.parquet", {**columns, "z": [np.nan if c is None else c for c in z]}
        )
    else:
        rows = zip(*columns.values(), strict=True)
        file = tmp_path / "t.jsonl"
        file.write_text("\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows))
    common: dict[str, Any] = {"split": "part", "features": ["x", "z"], **PLAIN}
    made = task(file, gaps="mean", **common)
    filled = [(4.0 if a is None else a, 5.0 if b is None else b) for a, b in zip(x, z, strict=True)]
    assert list(map(tuple, inputs(made).tolist())) == filled
    marked = task(file, gaps="mark", categories=["job"], **common)
    # No training row has a gap in z.
    assert marked.notes[0] == "features: x, z, x is empty, job=a, job=b"
    assert inputs(marked)[:, 2].tolist() == [float(a is None) for a in x]
    assert inputs(marked)[18, 3:].tolist() == [0.0, 0.0]
    line = refusal(file, **common)
    assert f"row {9 if kind == 'csv' else 1} has " in line
    assert "in column 'x'" in line


def test_a_column_of_gaps_alone_is_one_line(tmp_path: Path) -> None:
    file = csv(tmp_path / "t.csv", {"x": [""] * 12 + [1.0] * 8, "z": X, "y": Y, "part": PARTS})
    assert "no training row has anything in column 'x'" in refusal(file, split="part", gaps="mean")
    bare = csv(tmp_path / "u.csv", {"x": ["NA", *X[1:]], "y": Y})
    assert (
        "row 0 has 'NA' in column 'x', expected a finite number; write gaps='mean' to put"
        in refusal(bare)
    )


@pytest.mark.parametrize("kind", ["list", "large", "fixed", "nested", "jsonl", "jsonl nested"])
def test_lists_of_numbers_are_features(kind: str, tmp_path: Path) -> None:
    values = DRAW.normal(size=(ROWS, 6)).round(2)
    lists = values.tolist()
    nested = values.reshape(ROWS, 2, 3).tolist()
    if kind.startswith("jsonl"):
        file = tmp_path / "t.jsonl"
        cells = nested if "nested" in kind else lists
        file.write_text(
            "\n".join(
                json.dumps({"e": c, "x": x, "y": y}) for c, x, y in zip(cells, X, Y, strict=True)
            )
        )
    else:
        column = {
            "list": pa.array(lists),
            "large": pa.array(lists, pa.large_list(pa.float32())),
            "fixed": pa.array(lists, pa.list_(pa.float64(), 6)),
            "nested": pa.array(nested, pa.list_(pa.list_(pa.float64(), 3))),
        }[kind]
        file = parquet(tmp_path / "t.parquet", {"e": column, "x": X, "y": Y})
    made = task(file, split_by="row", **PLAIN)
    assert made.input_shape == (7,)
    assert made.notes[0] == "features: e[0], e[1], e[2], e[3], e[4], e[5], x"
    got = sorted(map(tuple, torch.cat([made.train.inputs, made.test.inputs])[:, :6].tolist()))
    assert np.allclose(got, sorted(map(tuple, lists)), atol=1e-6)
    shaped = task(file, features=["e"], shape=[1, 2, 3], **PLAIN)
    assert shaped.input_shape == (1, 2, 3)
    assert torch.equal(shaped.train.inputs.flatten(1), made.train.inputs[:, :6])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            [[1.0, 2.0]] * 5 + [[1.0]] * 15,
            "row 5 has a list of 1 numbers in column 'e', expected 2 as in",
        ),
        ([[1.0, None]] * 20, "row 0 has nan in column 'e', expected a finite number"),
        ([[]] * 20, "expected numbers in the lists of column 'e', got empty lists"),
        ([["a"]] * 20, "expected lists of numbers in column 'e'"),
        ([{"a": 1}] * 20, "expected numbers in column 'e', got struct"),
    ],
)
def test_lists_that_fit_nothing_get_one_line(cells: list[Any], said: str, tmp_path: Path) -> None:
    assert said in refusal(parquet(tmp_path / "t.parquet", {"e": cells, "y": Y}))


def test_lists_of_json_that_fit_nothing_get_one_line(tmp_path: Path) -> None:
    def lines(cells: list[Any]) -> Path:
        text = "\n".join(json.dumps({"e": cell, "y": y}) for cell, y in zip(cells, Y, strict=True))
        (tmp_path / "t.jsonl").write_text(text)
        return tmp_path / "t.jsonl"

    assert "row 3 has a list of 3 numbers in column 'e', expected 2 as in row 0" in refusal(
        lines([[1, 2]] * 3 + [[1, 2, 3]] * 17)
    )
    assert "row 0 has [[1], [1, 2]] in column 'e', expected a list of numbers" in refusal(
        lines([[[1], [1, 2]]] * 20)
    )
    assert "row 0 has an empty list in column 'e', expected numbers" in refusal(lines([[]] * 20))
    line = refusal(lines([{"a": 1}] * 20))
    assert (
        "row 0 has {'a': 1} in column 'e'; expected text in all rows, numbers, lists of numbers"
        in line
    )
    assert "where row 0" not in line


def test_pixels_have_a_shape_and_moments_of_a_channel(tmp_path: Path) -> None:
    pixels = DRAW.integers(0, 256, (ROWS, 12))
    columns = {"y": Y, **{f"p{i}": pixels[:, i].tolist() for i in range(12)}}
    file = csv(tmp_path / "t.csv", columns)
    made = task(file, shape=[3, 2, 2], validation=0.0)
    assert made.input_shape == (3, 2, 2)
    assert torch.allclose(made.train.inputs.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(made.train.inputs.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5)
    scaled = task(file, shape=[3, 2, 2], mean=[0.0], deviation=[255.0], validation=0.0)
    got = sorted(
        row.flatten().tolist() for row in torch.cat([scaled.train.inputs, scaled.test.inputs])
    )
    assert np.allclose(got, sorted((pixels / 255).tolist()), atol=1e-6)
    assert "expected 4 numbers a row for the shape 1x2x2, got 12; name the columns" in refusal(
        file, shape=[1, 2, 2]
    )
    assert "table.shape: expected it with features, got it with image" in refusal(
        file, shape=[1, 2], image="p0"
    )


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1_700_000_000_000 + 500 * i for i in range(ROWS)], pa.timestamp("ms")), 0.5),
        (
            pa.array([(i + 1) * 10**9 for i in range(ROWS)], pa.timestamp("ns", "Europe/Berlin")),
            1.0,
        ),
        (pa.array([date(2020, 1, 1) + timedelta(days=i) for i in range(ROWS)]), 86400.0),
        (pa.array([30 * i for i in range(ROWS)], pa.duration("s")), 30.0),
        (pa.array([400_000_000_000 + 2 * i for i in range(ROWS)], pa.timestamp("s")), 2.0),
    ],
)
def test_times_are_seconds_where_they_are_named(
    column: pa.Array, expected: float, tmp_path: Path
) -> None:
    file = parquet(tmp_path / "t.parquet", {"x": X, "when": column, "y": Y})
    assert (
        "column 'when' holds times; name it in features to take it as seconds since 1970"
        in refusal(file)
    )
    first = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64()).to_numpy()[0]
    unit = (
        86400.0
        if pa.types.is_date32(column.type)
        else {"s": 1.0, "ms": 1e-3, "ns": 1e-9}[column.type.unit]
    )
    made = task(
        file, features=["when"], mean=[float(first * unit)], deviation=[1.0], validation=0.0
    )
    got = torch.cat([made.train.inputs, made.test.inputs]).flatten().sort().values
    assert torch.allclose(got.diff(), torch.full((ROWS - 1,), expected), rtol=1e-5)


@pytest.mark.parametrize("cell", ["1_0", "0x10", "１", "1,5", "1e", "--1"])
def test_only_what_everybody_reads_as_a_number_is_one(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"x": cell if i == 4 else str(i * i), "y": i % 2}) for i in range(ROWS)
        )
    )
    assert f"row 4 has {cell!r} in column 'x', expected a finite number" in refusal(path)


def test_a_table_like_another_has_its_features_moments_and_levels(tmp_path: Path) -> None:
    """A proxy: the same number is the same quantity, and the same place the same word."""
    jobs = ["cook", "smith"] * 10
    first = csv(
        tmp_path / "t.csv", {"x": ["", *X[1:]], "z": X[::-1], "job": jobs, "y": Y, "part": PARTS}
    )
    study = {
        "path": str(first),
        "label": "y",
        "split": "part",
        "features": ["z", "x"],
        "categories": ["job"],
        "validation": 0.0,
    }
    other = csv(
        tmp_path / "p.csv",
        {
            "job": ["baker", "smith"] * 10,
            "x": [10 + x for x in X[:-1]] + [""],
            "z": X,
            "id": X,
            "y": Y,
            "part": PARTS,
        },
    )
    target = TASKS.build(TASKS.component({"table": {**study, "gaps": "mark"}}))
    proxy = task(
        other, split="part", like={"table": {**study, "gaps": "mark"}}, gaps="mean", validation=0.0
    )
    assert proxy.features == target.features == ("z", "x", "x is empty", "job=cook", "job=smith")
    known = np.array(X[1:12])
    mean = known.mean()
    deviation = np.sqrt(((known - mean) ** 2).sum() / 12)  # the gap is at the mean
    assert inputs(proxy)[:-1, 1].tolist() == pytest.approx(
        (10 + np.array(X[:-1]) - mean) / deviation, rel=1e-5
    )
    assert inputs(proxy)[-1, 1:].tolist() == pytest.approx([0, 1, 0, 1], abs=1e-6)
    assert inputs(proxy)[0, 2:].tolist() == [0, 0, 0]  # a baker is nobody whom the other knows
    assert "no column 'z'" in refusal(
        csv(tmp_path / "q.csv", {"x": X, "job": jobs, "y": Y}),
        like={"table": {**study, "gaps": "mean"}},
    )
    line = refusal(other, like={"table": {**study, "gaps": "mark"}}, features=["x"])
    assert "table.features: expected it of the task that this one is like" in line
    assert "table.like: expected a table with features, got 'digits'" in refusal(
        other, like="digits"
    )


def test_thousands_of_columns_are_read(tmp_path: Path) -> None:
    values = DRAW.normal(size=(2000, 30)).round(3)
    made = task(
        parquet(
            tmp_path / "t.parquet",
            {"y": [0, 1] * 15, **{f"x{i}": row for i, row in enumerate(values)}},
        )
    )
    assert made.input_shape == (2000,)
    assert made.notes == ("features: x0, x1, x2, x3, x4, x5, x6, x7 and 1992 more",)
