"""Columns as numbers and words; what is none is refused with its row."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headstart.errors import HeadstartError
from headstart.tasks.sources.columns import like_gaps, numbers, words
from headstart.tasks.sources.tables import SourceTable


def table(values: Any, kind: Any = None) -> SourceTable:
    columns = pa.table({"c": pa.array(values, kind)})
    return SourceTable(Path("t.csv"), (Path("t.csv"),), np.array([0]), columns)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], pa.int64(), [[1], [2]]),
        ([True, False], pa.bool_(), [[1], [0]]),
        ([" 1.5", "2e3"], pa.string(), [[1.5], [2000]]),
        ([[1, 2], [3, 4]], pa.list_(pa.float32()), [[1, 2], [3, 4]]),
        ([1500, 2500], pa.timestamp("ms"), [[1.5], [2.5]]),
    ],
)
def test_numbers_of_every_type(values: Any, kind: Any, expected: Any) -> None:
    assert numbers(table(values, kind), "c").tolist() == expected


def test_gaps_are_nan_where_they_are_asked_for() -> None:
    found = numbers(table(["1", "NA", None]), "c", gaps=True)
    assert np.isnan(found[:, 0]).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["1", "x"], "t.csv: row 1 has 'x' in column 'c', expected a finite number; a column of"),
        (["1", "n/a"], "write gaps='mean'"),
        (["1,5", "2"], "row 0 has '1,5' in column 'c', expected a finite number; write decimal"),
        (["2024-01-02", "1"], "a date is no number"),
        ([1.0, float("inf")], "row 1 has inf"),
        ([1e39, 1.0], "row 0 has 1e+39 in column 'c', expected a number of at most 3.4e+38"),
        ([1e-200, 0.0], "no number beyond 1.0e-200, whose variance would be 0"),
    ],
)
def test_a_cell_that_is_no_number_is_named(values: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as raised:
        numbers(table(values), "c")
    assert line in str(raised.value)


def test_words_are_those_that_are_expected() -> None:
    assert words(table(["a", "b", "a"]), "c", ("a", "b")).tolist() == ["a", "b", "a"]
    with pytest.raises(HeadstartError, match="row 1"):
        words(table(["a", "z"]), "c", ("a", "b"))


def test_names_that_programs_write_for_a_gap_are_noted() -> None:
    assert like_gaps("a class", ["north", "NA"]) == [
        "'NA' is a class as any other; where it means a gap, leave its rows out"
    ]
    assert like_gaps("a class", ["north"]) == []
