"""Tables made of plain values are those that pyarrow makes, and pandas is not imported for them."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headstart import arrow

COLUMNS: list[tuple[list[Any], pa.DataType]] = [
    (["köln", "", None, "b"], pa.string()),
    ([1, None, -(2**63), 2**63 - 1], pa.int64()),
    ([0.1, None, float("inf"), 2], pa.float64()),
    ([True, None, False], pa.bool_()),
    ([], pa.string()),
    ([], pa.float64()),
    ([None] * 9, pa.int64()),
]


@pytest.mark.parametrize(("values", "kind"), COLUMNS)
def test_a_column_is_that_of_pyarrow(values: list[Any], kind: pa.DataType) -> None:
    made = arrow.column(values, kind)
    made.validate(full=True)
    assert made.equals(pa.array(values, kind))


def test_a_table_is_that_of_pyarrow() -> None:
    schema = pa.schema([("run", pa.string()), ("seed", pa.int64()), ("loss", pa.float64())])
    rows = [{"run": "a", "seed": 3, "other": 1}, {"run": "b", "loss": 0.5}, {}]
    assert arrow.table(rows, schema).equals(pa.Table.from_pylist(rows, schema=schema))
    assert arrow.table([], schema).equals(schema.empty_table())


@pytest.mark.parametrize(
    "values",
    [
        ["köln", None],
        [True, None, np.True_],
        [1, None, np.int64(2)],
        [1, 2.5, None],
        [np.float64(0.5), 2],
        [None, None],
        [],
    ],
)
def test_columns_have_the_types_that_pyarrow_finds(values: list[Any]) -> None:
    assert arrow.columns({"a": values}).equals(pa.table({"a": pa.array(values)}))


def test_values_of_several_types_are_no_column() -> None:
    with pytest.raises(TypeError, match="'int', 'str'"):
        arrow.columns({"a": [1, "b"]})


def test_numbers_are_those_of_all_chunks_and_none_may_be_missing() -> None:
    whole = pa.chunked_array([pa.array([1, 2]), pa.array([3])])
    assert arrow.numbers(whole).tolist() == [1, 2, 3]
    assert arrow.numbers(whole.slice(1)).tolist() == [2, 3]
    with pytest.raises(ValueError, match="got 1 rows without"):
        arrow.numbers(pa.array([0.5, None]))


def test_texts_are_coded_in_the_order_in_which_they_come() -> None:
    codes, texts = arrow.coded(pa.chunked_array([pa.array(["b", "a"]), pa.array(["b", "c"])]))
    assert (codes.tolist(), texts) == ([0, 1, 0, 2], ["b", "a", "c"])


def test_a_mask_chooses_rows() -> None:
    table = pa.table({"a": list(range(10))})
    rows = np.arange(10) % 3 == 0
    assert table.filter(arrow.mask(rows))["a"].to_pylist() == [0, 3, 6, 9]


@pytest.mark.parametrize(
    ("value", "kind"), [(2.5, pa.int64()), (2**63, pa.int64()), ("1", pa.float64())]
)
def test_a_value_of_another_type_is_not_taken(value: Any, kind: pa.DataType) -> None:
    with pytest.raises((TypeError, OverflowError)):
        arrow.column([value], kind)


STUDY = """
import pathlib
import sys
from headstart.study.spec import Study
from headstart.study.runner import run_study
from headstart.report.pages.study_page import write

study = Study.load(sys.argv[1])
run_study(study, sys.argv[2])
write(pathlib.Path(sys.argv[2]), processes=2)
print(sorted(name for name in ("pandas", "matplotlib") if name in sys.modules))
"""


def test_a_study_is_run_and_reported_without_pandas_and_matplotlib(tmp_path: Any) -> None:
    (tmp_path / "study.yaml").write_text(
        "task: digits\nmodel: logistic\nstarts: [random]\nclients: [sgd]\nservers: "
        "[sgd]\npartitions: [iid]\npopulation: 4\ncohort: 2\nrounds: 2\nseeds: [0]\nexecutor: "
        "loop\n"
    )
    command = [sys.executable, "-c", STUDY, str(tmp_path / "study.yaml"), str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
