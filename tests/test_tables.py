"""Tables on disk: what is read leaves no thread behind that could abort a program as it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

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
