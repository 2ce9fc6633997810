"""What a repository keeps of the tables: small, in the same form,
and nothing a page shows is lost.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.report.publication import kept_tables
from headstart.report.publication.kept_tables import compact, packed
from headstart.tables import RUNS_FILE, StudyTables

Row = tuple[str, int, str, float]


def results(*rows: Row) -> StudyTables:
    columns = dict(
        zip(("run", "round", "metric", "value"), map(list, zip(*rows, strict=True)), strict=True)
    )
    return StudyTables(
        "name: a",
        pa.table({"run": ["a", "b"]}),
        pa.table(columns),
        about={"records": "{}"},
        planned=2,
    )


def rows(found: StudyTables) -> list[Any]:
    return [tuple(row.values()) for row in found.rounds.to_pylist()]


def test_of_each_client_the_last_number_is_kept() -> None:
    own = "client_accuracy/1"
    found = compact(
        results(
            ("a", 0, own, 0.1),
            ("a", 5, own, 0.5),
            ("a", 9, own, np.nan),
            ("b", 9, own, 0.7),
            ("b", 9, "x", 1.0),
        )
    )
    assert rows(found) == [("a", 5, own, 0.5), ("b", 9, own, 0.7), ("b", 9, "x", 1.0)]
    assert found.about == {}


def test_rounds_come_metric_by_metric_and_keep_every_digit() -> None:
    third = 1 / 3
    found = compact(
        results(("a", 0, "x", third), ("a", 0, "y", 2.0), ("b", 0, "x", 3.0), ("b", 0, "y", 4.0))
    )
    assert rows(found) == [
        ("a", 0, "x", third),
        ("b", 0, "x", 3.0),
        ("a", 0, "y", 2.0),
        ("b", 0, "y", 4.0),
    ]


def test_what_is_too_large_is_kept_to_seven_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_tables, "MOST_BYTES", 1)
    found = compact(results(("a", 0, "x", 1 / 3), ("b", 0, "x", 1.0)))
    assert rows(found) == [("a", 0, "x", float(np.float32(1 / 3))), ("b", 0, "x", 1.0)]


def test_the_files_are_parquet_that_anything_reads() -> None:
    files = packed(compact(results(("a", 0, "x", 1 / 3))))
    assert list(files) == ["rounds.parquet", RUNS_FILE]
    assert pq.read_table(pa.BufferReader(files["rounds.parquet"]))["value"].to_pylist() == [1 / 3]
