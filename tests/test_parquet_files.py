"""Parquet files on disk: reading leaves no thread behind, and what was changed is refused."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from headstart import parquet_files
from headstart.errors import HeadstartError

READS = """
import os
import sys
from pathlib import Path

import pyarrow as pa

from headstart import parquet_files
from headstart.tasks.sources.parquet import parquet

path = Path(sys.argv[1])
parquet_files.write(path, pa.table({f"c{i}": list(range(3000)) for i in range(40)}))
before = len(os.listdir("/proc/self/task"))
assert parquet_files.read(path, "").num_rows == parquet(path, ["c0"]).num_rows == 3000
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_reading_a_table_begins_no_thread(tmp_path: Path) -> None:
    """One that lets go of the bytes while the interpreter ends aborted one program in thirty."""
    command = [sys.executable, "-c", READS, tmp_path / "table.parquet"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # type: ignore[arg-type]
    assert (ended.stdout, ended.stderr) == ("0\n", "")


def test_a_file_that_is_not_the_one_meant_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    seal = parquet_files.write(path, pa.table({"a": [1, 2]}))
    assert parquet_files.read(path, "write it again", seal).to_pydict() == {"a": [1, 2]}
    parquet_files.write(path, pa.table({"a": [1, 3]}))
    with pytest.raises(HeadstartError, match="not the one that was written together"):
        parquet_files.read(path, "write it again", seal)
