"""Reading a study folder, and the one line that a damaged one gets."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.errors import HeadstartError
from headstart.report import tables

MakeStudy = Callable[..., Path]


def test_curves_are_sorted_by_round_and_lose_what_is_not_finite(study: MakeStudy) -> None:
    folder = study()
    rows = {"run": ["b", "a", "a", "a"], "round": [0, 4, 0, 8], "value": [5.0, 2.0, 3.0, float("nan")]}
    pq.write_table(pa.table(rows | {"metric": ["loss"] * 4}), folder / "results/rounds.parquet")
    curves = tables.read(folder).curves
    assert {key: (r.tolist(), v.tolist()) for key, (r, v) in curves.items()} == {
        ("a", "loss"): ([0, 4], [3.0, 2.0]),
        ("b", "loss"): ([0], [5.0]),
    }


@pytest.mark.parametrize("name", ["study.yaml", "results/runs.parquet", "results/rounds.parquet"])
def test_missing_file_is_named_with_what_to_do(study: MakeStudy, name: str) -> None:
    folder = study()
    (folder / name).unlink()
    with pytest.raises(HeadstartError, match=r"not found.*headstart run") as raised:
        tables.read(folder)
    assert str(folder / name) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["results/runs.parquet", "results/rounds.parquet"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:200] + b"x" * 400 + b[600:]]
)
def test_damaged_parquet_is_one_line(study: MakeStudy, name: str, damage: Callable[[bytes], bytes]) -> None:
    path = study() / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(HeadstartError) as raised:
        tables.read(path.parents[1])
    assert str(path) in str(raised.value)
    assert "headstart run" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1", "", "\x00"])
def test_study_file_that_is_not_one(study: MakeStudy, text: str) -> None:
    folder = study()
    (folder / "study.yaml").write_text(text)
    with pytest.raises(HeadstartError, match=r"study\.yaml"):
        tables.read(folder)


def test_missing_column_and_wrong_type_are_named(study: MakeStudy) -> None:
    folder = study()
    path = folder / "results/runs.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["seed"]), path)
    with pytest.raises(HeadstartError, match="expected the column 'seed'"):
        tables.read(folder)
    pq.write_table(table.set_column(table.column_names.index("seed"), "seed", pa.array(["one"] * len(table))), path)
    with pytest.raises(HeadstartError, match="column 'seed': expected int64, got string"):
        tables.read(folder)


def test_no_run_yet(study: MakeStudy) -> None:
    folder = study()
    path = folder / "results/runs.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(HeadstartError, match="no run has ended yet"):
        tables.read(folder)
