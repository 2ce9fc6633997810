"""The tables of results: their columns are those of the classes that declare them."""

from dataclasses import dataclass

import pyarrow as pa
import pytest

from headstart.report.runs.records import RUN_COLUMNS, TRIAL_COLUMNS
from headstart.tables import RUNS, TRIALS, RunRow, TrialRow, schema_of


@dataclass
class Row:
    """One field of each kind of column."""

    text: str
    number: int
    share: float | None
    flag: bool


def test_a_schema_has_the_fields_in_order_with_their_types() -> None:
    schema = schema_of(Row)
    assert schema.names == ["text", "number", "share", "flag"]
    assert schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_()]


@pytest.mark.parametrize("row", [RunRow, TrialRow])
def test_whole_rates_and_epochs_are_still_numbers_with_fractions(row: type) -> None:
    for name in ("client_rate", "server_rate", "local_epochs"):
        assert schema_of(row).field(name).type == pa.float64()


def test_what_a_report_reads_of_runs_and_trials_is_written() -> None:
    assert set(RUN_COLUMNS) <= set(RUNS.names)
    assert set(TRIAL_COLUMNS) < set(TRIALS.names)
