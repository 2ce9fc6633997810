"""Tables on disk: their columns are those of the classes that declare them, and reading leaves no thread behind."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from headstart.report.runs.records import RUN_COLUMNS, TRIAL_COLUMNS
from headstart.tables import RUNS, TRIALS, RunRow, TrialRow, schema_of

READS = """
import os
import sys
from pathlib import Path

import pyarrow as pa

from headstart import tables
from headstart.tasks.sources.parquet import parquet

path = Path(sys.argv[1])
tables.write(path, pa.table({f"c{i}": list(range(3000)) for i in range(40)}))
before = len(os.listdir("/proc/self/task"))
assert tables.read(path, "").num_rows == parquet(path, ["c0"]).num_rows == 3000
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_reading_a_table_begins_no_thread(tmp_path: Path) -> None:
    """One that lets go of the bytes while the interpreter ends aborted one program in thirty."""
    command = [sys.executable, "-c", READS, tmp_path / "table.parquet"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # type: ignore[arg-type]
    assert (ended.stdout, ended.stderr) == ("0\n", "")


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
