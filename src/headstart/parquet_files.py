"""Parquet files that are sealed: each says the sha256 of its own bytes, so that damage is seen."""

import io
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from headstart import files

IN_THIS_THREAD: Final = {"pre_buffer": False}
"""For `pq.ParquetFile` of a source that is an object of Python, with `read(use_threads=False)`.

pyarrow's threads hold the bytes of such a source. One that lets go of them while the interpreter
ends aborts the process: "terminate called without an active exception".
"""

ROWS_AT_ONCE = 2**15
"""Rows of a table that are in memory once more while it is written."""


def sealed_file(table: pa.Table, **options: Any) -> bytes:
    """A table as the bytes of a Parquet file that has its seal; `options` are those of
    `pq.write_table`.
    """
    buffer = io.BytesIO()
    metadata = {**metadata_of(table), files.SEAL: files.UNSEALED}
    table = table.replace_schema_metadata(metadata)
    form = {"compression": "zstd", "row_group_size": ROWS_AT_ONCE, **options}
    pq.write_table(table, buffer, write_page_checksum=True, **form)
    return files.sealed(buffer.getvalue())


def write(path: Path, table: pa.Table, lasting: bool = True) -> str:
    """Write a Parquet file atomically, and return its seal."""
    content = sealed_file(table)
    files.write(path, content, lasting)
    return files.seal_of(content)


def read(path: Path, remedy: str, seal: str | None = None) -> pa.Table:
    """Read what `write` wrote.

    `seal`: the seal of the file that is meant, where another could lie in its place.

    Raises:
        HeadstartError: it is missing, has changed since it was written, or is another file than the
            one meant.
    """
    with files.damage_explained(path, remedy):
        content = path.read_bytes()
        found = files.seal_of(content)
        if seal is not None and found != seal:
            raise ValueError(
                "it is whole, but not the one that was written together with the others"
            )
        opened = pq.ParquetFile(
            io.BytesIO(content), page_checksum_verification=True, **IN_THIS_THREAD
        )
        table = opened.read(use_threads=False)
    return table.replace_schema_metadata(
        {k: v for k, v in metadata_of(table).items() if k != files.SEAL}
    )


def metadata_of(table: pa.Table) -> dict[str, str]:
    """What a table says beside its columns."""
    metadata = table.schema.metadata or {}
    return {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in metadata.items()
    }
