"""Parquet files of others: damaged ones are one line, and those that are too large are not read."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.errors import OutOfMemoryError
from headstart.tasks.sources.parquet import parquet

FLIPS = """
import sys
from pathlib import Path

from headstart.errors import HeadstartError
from headstart.tasks.sources.parquet import parquet

path = Path(sys.argv[1])
whole = path.read_bytes()
begins = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
refused = 0
for place in range(begins, len(whole) - 8):
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
    try:
        parquet(path, ["text"])
    except HeadstartError:
        refused += 1
print(refused)
"""


@pytest.mark.slow
def test_no_damaged_footer_ends_the_program(tmp_path: Path) -> None:
    """pyarrow aborts where it is asked for a column of a group whose statistics are damaged."""
    table = pa.table({"text": ["a", None, "b"], "many": [[1], None, [2, 3]]})
    pq.write_table(table, tmp_path / "a.parquet")
    command = [sys.executable, "-c", FLIPS, str(tmp_path / "a.parquet")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert int(ended.stdout) > 100


@pytest.mark.parametrize(
    ("columns", "refused"), [(["x"], True), (["text", "x"], True), (["text"], True), (["y"], False)]
)
def test_columns_larger_than_the_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: list[str], refused: bool
) -> None:
    table = pa.table({"x": [0.0] * 1000, "text": ["a" * 2000, *["b"] * 999], "y": [True] * 1000})
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 1500}.__getitem__)
    if refused:
        with pytest.raises(OutOfMemoryError, match=r"1000 rows take .* this machine has"):
            parquet(tmp_path / "a.parquet", columns)
    else:
        assert parquet(tmp_path / "a.parquet", columns).num_rows == 1000
