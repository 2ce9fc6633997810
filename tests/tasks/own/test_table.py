"""The user's own table: kinds of file and types of column give the same task, splits are exact."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.tasks.own.small_tables import COLUMNS, ROWS, WRITERS, changed, csv, jsonl, parquet, task

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, TASKS, Task


def raw(made: Task) -> list[tuple[float, ...]]:
    """Every row of all parts as (features..., label), sorted."""
    parts = (made.train, made.validation, made.test)
    return sorted(
        (*map(float, x), float(y))
        for part in parts
        for x, y in zip(part.inputs, part.targets, strict=True)
    )


@pytest.mark.parametrize("kind", WRITERS)
def test_every_row_is_in_one_part_as_in_the_file(kind: str, tmp_path: Path) -> None:
    file = WRITERS[kind](tmp_path / f"t.{kind}", COLUMNS)
    made = task(file, client="who", mean=[0.0], deviation=[1.0])
    assert made.classes == ("10", "9", "x")  # text, as not all are numbers
    expected = [
        (np.float32(x), float(n), float(made.classes.index(y)))
        for x, n, y in zip(COLUMNS["x"], COLUMNS["n"], COLUMNS["y"], strict=True)
    ]
    assert np.array_equal(raw(made), sorted(expected))
    # 12 clients of 5 rows: round(0.2 * 12) = 2 test, round(0.1 * 10) = 1 validates, 9 are left
    assert [len(part) for part in (made.train, made.validation, made.test)] == [45, 5, 10]
    clients = PARTITIONS.build(PARTITIONS.component("natural"))(made, 9, 0)
    assert {len(rows) for rows in clients} == {5}


def test_three_kinds_of_file_give_the_same_task(tmp_path: Path) -> None:
    made = [
        task(write(tmp_path / f"t.{kind}", COLUMNS), client="who")
        for kind, write in WRITERS.items()
    ]
    for other in made[1:]:
        assert other.classes == made[0].classes
        assert np.array_equal(other.owners, made[0].owners)  # type: ignore[arg-type]
        for part in ("train", "validation", "test"):
            assert torch.equal(getattr(other, part).inputs, getattr(made[0], part).inputs)
            assert torch.equal(getattr(other, part).targets, getattr(made[0], part).targets)


def test_without_moments_training_rows_have_mean_0_and_deviation_1(tmp_path: Path) -> None:
    columns: dict[str, Any] = {**COLUMNS, "constant": [7] * ROWS}
    made = task(csv(tmp_path / "t.csv", columns), features=["x", "n", "constant"], split_by="row")
    inputs = made.train.inputs.double()
    assert torch.allclose(inputs.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(
        inputs[:, :2].std(0, correction=0), torch.ones(2, dtype=torch.float64), atol=1e-6
    )
    assert (inputs[:, 2] == 0).all()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([10, 9, -1], ("-1", "9", "10")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["b", "a", "C"], ("C", "a", "b")),
        ([True, False, True], ("False", "True")),
        ([1.5, 0.5, 2.0], ("0.5", "1.5", "2.0")),
    ],
)
def test_classes_are_in_order_whatever_their_type(
    labels: list[Any], names: tuple[str, ...], tmp_path: Path
) -> None:
    values = [labels[i % 3] for i in range(ROWS)]
    made = task(
        parquet(tmp_path / "t.parquet", {**COLUMNS, "y": values}), features=["x"], split_by="row"
    )
    assert made.classes == names
    counts = sum(
        torch.bincount(p.targets, minlength=len(names))
        for p in (made.train, made.validation, made.test)
    )
    assert torch.as_tensor(counts).tolist() == [
        sum(str(v) == name for v in values) for name in names
    ]


def test_a_split_column_is_kept(tmp_path: Path) -> None:
    words = ["train"] * 40 + ["validation"] * 8 + ["test"] * 12
    shift: dict[str, Any] = {"mean": [0.0], "deviation": [1.0]}
    made = task(
        csv(tmp_path / "t.csv", {**COLUMNS, "part": words}), split="part", features=["x"], **shift
    )
    for part, rows in (
        ("train", slice(40)),
        ("validation", slice(40, 48)),
        ("test", slice(48, None)),
    ):
        assert torch.equal(getattr(made, part).inputs[:, 0], torch.tensor(COLUMNS["x"][rows]))
    words = ["train"] * 48 + ["test"] * 12
    made = task(
        csv(tmp_path / "u.csv", {**COLUMNS, "part": words}),
        split="part",
        client="who",
        validation=0.25,
    )
    # 3 of 12 clients, 4 rows.
    assert [len(part) for part in (made.train, made.validation, made.test)] == [36, 12, 12]
    assert len(np.unique(made.owners)) == 9  # type: ignore[arg-type]


def test_features_that_are_large_keep_their_differences(tmp_path: Path) -> None:
    times = [1_700_000_000 + i for i in range(ROWS)]
    constant = [0.1] * ROWS
    made = task(
        csv(tmp_path / "t.csv", {"y": COLUMNS["y"], "t": times, "c": constant}), features=["t", "c"]
    )
    inputs = torch.cat([part.inputs for part in (made.train, made.validation, made.test)])
    steps = inputs[:, 0].sort().values.diff()
    assert torch.allclose(steps, steps.mean().expand(ROWS - 1), rtol=1e-4)
    assert made.train.inputs[:, 0].double().std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert (inputs[:, 1] == 0).all()  # though the mean of 0.1 is not quite 0.1


@pytest.mark.parametrize(
    "kind", ["decimal", "dictionary of text", "dictionary", "large_string", "string_view"]
)
def test_numbers_and_words_of_every_common_type_are_the_same(kind: str, tmp_path: Path) -> None:
    words = [("train", "test", "train")[i % 3] for i in range(ROWS)]
    made: dict[str, Any] = {
        "decimal": pa.array([Decimal(n) for n in COLUMNS["n"]]),
        "dictionary of text": pa.array(list(map(str, COLUMNS["n"]))).dictionary_encode(),
        "dictionary": pa.array(COLUMNS["n"]).dictionary_encode(),
        "large_string": pa.array(list(map(str, COLUMNS["n"])), pa.large_string()),
        "string_view": pa.array(list(map(str, COLUMNS["n"])), pa.string_view()),
    }[kind]
    text: dict[str, Any] = {"large_string": pa.large_string(), "string_view": pa.string_view()}.get(
        kind
    )  # type: ignore[assignment]
    part = pa.array(words, text) if text else pa.array(words).dictionary_encode()
    common: dict[str, Any] = {"features": ["n"], "split": "part", "client": "who", "unseen": "keep"}
    expected = task(parquet(tmp_path / "e.parquet", {**COLUMNS, "part": words}), **common)
    got = task(parquet(tmp_path / "g.parquet", {**COLUMNS, "n": made, "part": part}), **common)  # type: ignore[dict-item]
    assert torch.equal(got.train.inputs, expected.train.inputs)
    assert torch.equal(got.test.targets, expected.test.targets)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_folder_of_files_is_the_table_of_all_their_rows(kind: str, tmp_path: Path) -> None:
    whole = task(WRITERS[kind](tmp_path / f"t.{kind}", COLUMNS), client="who", features=["x", "n"])
    folder = tmp_path / "shards"
    folder.mkdir()
    for i, rows in enumerate((slice(20), slice(20, 45), slice(45, None))):
        WRITERS[kind](
            folder / f"{i}.{kind}", {name: cells[rows] for name, cells in COLUMNS.items()}
        )
    (folder / "README.md").write_text("what is no table is no part of it")
    made = task(folder, client="who", features=["x", "n"])
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(made, part).inputs, getattr(whole, part).inputs)
        assert torch.equal(getattr(made, part).targets, getattr(whole, part).targets)
    assert np.array_equal(made.owners, whole.owners)  # type: ignore[arg-type]
    WRITERS[kind](
        folder / f"1.{kind}", {name: cells[20:45] for name, cells in changed("x", 27, 1e39).items()}
    )
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    with pytest.raises(
        HeadstartError,
        match=rf"1.{kind}: row 7 has .*1e\+39'? in column 'x', expected a number of at",
    ):
        task(folder, client="who", features=["x", "n"])
    WRITERS[kind](
        folder / f"1.{kind}", {name: cells[20:45] for name, cells in changed("x", 27, 0.5).items()}
    )
    assert task(folder, client="who", features=["x", "n"]).content != made.content


def test_lines_with_nothing_are_no_rows(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", COLUMNS)
    other = tmp_path / "u.jsonl"
    other.write_text("\n" + file.read_text().replace("\n", "\n\n"))
    made, expected = (task(path, client="who", features=["x"]) for path in (other, file))
    assert torch.equal(made.train.inputs, expected.train.inputs)


def test_labels_of_thousands_of_digits_are_text(tmp_path: Path) -> None:
    values = [("1" * 5000, "2", "10")[i % 3] for i in range(ROWS)]
    made = task(csv(tmp_path / "t.csv", {**COLUMNS, "y": values}), features=["x"])
    assert made.classes == ("10", "1" * 5000, "2")


def test_labels_that_no_training_row_has_are_kept_or_dropped_on_request(tmp_path: Path) -> None:
    labels = ["new" if i >= 55 else ("old", "young")[i % 2] for i in range(ROWS)]
    columns: dict[str, Any] = {**COLUMNS, "y": labels}
    file = csv(tmp_path / "t.csv", {**columns, "part": ["train"] * 50 + ["test"] * 10})
    kept = task(file, split="part", features=["x"], unseen="keep", validation=0.0)
    assert kept.classes == ("new", "old", "young")
    assert torch.bincount(kept.test.targets).tolist() == [5, 3, 2]
    dropped = task(file, split="part", features=["x"], unseen="drop", validation=0.0)
    assert (dropped.classes, dropped.outputs) == (("old", "young"), 2)
    assert torch.bincount(dropped.test.targets).tolist() == [3, 2]
    assert torch.equal(dropped.train.targets + 1, kept.train.targets)
