"""Reading a study folder, and the one line that a damaged one gets."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.errors import HeadstartError
from headstart.report.runs import records as tables

from ..conftest import rewrite

MakeStudy = Callable[..., Path]


def test_curves_are_sorted_by_round_and_lose_what_is_not_finite(study: MakeStudy) -> None:
    folder = study()
    rows = {
        "run": ["b", "a", "a", "a"],
        "round": [0, 4, 0, 8],
        "value": [5.0, 2.0, 3.0, float("nan")],
    }
    rewrite(folder, rounds=pa.table(rows | {"metric": ["loss"] * 4}))
    curves = tables.read(folder).curves
    assert {key: (r.tolist(), v.tolist()) for key, (r, v) in curves.items()} == {
        ("a", "loss"): ([0, 4], [3.0, 2.0]),
        ("b", "loss"): ([0], [5.0]),
    }


@pytest.mark.parametrize("name", ["results/runs.parquet", "results/rounds.parquet"])
def test_missing_file_is_named_with_what_to_do(study: MakeStudy, name: str) -> None:
    folder = study()
    (folder / name).unlink()
    with pytest.raises(HeadstartError, match=r"(not found|No such file).*headstart run") as raised:
        tables.read(folder)
    assert str(folder / name) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["results/runs.parquet", "results/rounds.parquet"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:200] + b"x" * 400 + b[600:]]
)
def test_damaged_parquet_is_one_line(
    study: MakeStudy, name: str, damage: Callable[[bytes], bytes]
) -> None:
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
    rewrite(folder, study=text)
    with pytest.raises(HeadstartError, match=r"runs\.parquet.* study "):
        tables.read(folder)


def test_missing_column_and_wrong_type_are_named(study: MakeStudy) -> None:
    folder = study()
    table = pq.read_table(folder / "results/runs.parquet")
    rewrite(folder, runs=table.drop_columns(["seed"]))
    with pytest.raises(HeadstartError, match="expected the column 'seed'"):
        tables.read(folder)
    seeds = pa.array(["one"] * len(table))
    rewrite(folder, runs=table.set_column(table.column_names.index("seed"), "seed", seeds))
    with pytest.raises(HeadstartError, match="column 'seed': expected int64, got string"):
        tables.read(folder)


def test_no_run_yet(study: MakeStudy) -> None:
    folder = study()
    rewrite(folder, runs=pq.read_table(folder / "results/runs.parquet").slice(0, 0))
    with pytest.raises(HeadstartError, match="no run has ended yet"):
        tables.read(folder)
