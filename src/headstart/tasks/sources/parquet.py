"""Columns of Parquet files, with every fault in one line that names the row."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headstart import files, machine
from headstart.errors import HeadstartError, OutOfMemoryError, nearest, reason
from headstart.parquet_files import IN_THIS_THREAD
from headstart.tasks.sources.cell_types import is_text, plain_type, without_extension


def parquet_names(path: Path) -> tuple[list[str], list[str]]:
    """The columns of a Parquet file, and those that pandas wrote there as the index of its rows.

    Raises:
        HeadstartError: the file cannot be read.
    """
    try:
        with files.explained(path, "read"):
            schema = pq.read_schema(path)
            names = list(schema.names)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise HeadstartError(f"{path} cannot be read as Parquet: {reason(error)}") from error
    try:
        pandas = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    except (ValueError, RecursionError):  # what another program wrote there
        pandas = {}
    index = pandas.get("index_columns") if isinstance(pandas, dict) else None
    return names, [name for name in index if isinstance(name, str)] if isinstance(
        index, list
    ) else []


def refuse_gaps(table: pa.Table, path: Path, with_gaps: Collection[str] = ()) -> None:
    """Refuse empty cells, but in the columns that may have some.

    Raises:
        HeadstartError: there is one, with its row.
    """
    for name in table.column_names:
        if table[name].null_count and name not in with_gaps:
            row = pc.index(pc.is_null(table[name]), True).as_py()
            raise HeadstartError(
                f"{path}: row {row} has nothing in column {name!r}; fill it or leave the row out "
                "(features of `table` may have gaps: 'mean' or 'mark')"
            )


def parquet(path: Path, columns: Sequence[str], with_gaps: Collection[str] = ()) -> pa.Table:
    """Those columns of a Parquet file, where what is a dictionary of values is the values
    themselves.

    Raises:
        HeadstartError: the file cannot be read, lacks a column, has an empty cell in one that is
            not among those `with_gaps`, or text that is not UTF-8.
    """
    try:
        with (
            files.explained(path, "read"),
            path.open("rb") as raw,
            pq.ParquetFile(raw, **IN_THIS_THREAD) as opened,
        ):
            for name in columns:
                if name not in opened.schema_arrow.names:
                    raise HeadstartError(
                        f"{path}: no column {name!r}{nearest(name, opened.schema_arrow.names)}"
                    )
            _refuse_too_large(path, opened.metadata, columns)
            table = opened.read(columns=list(columns), use_threads=False)
        table = pa.table({name: without_extension(table[name]) for name in table.column_names})
        table = table.cast(
            pa.schema([(field.name, plain_type(field.type)) for field in table.schema])
        )
        for name in columns:
            table[name].validate(full=is_text(table[name].type))
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{path}: this machine has not enough memory for it; {SMALLER}"
        ) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise HeadstartError(f"{path} cannot be read as Parquet: {reason(error)}") from error
    refuse_gaps(table, path, with_gaps)
    return table


SMALLER = "choose a smaller table, fewer columns, or pack it for the task on-disk"
WIDTHS = {"BOOLEAN": 1 / 8, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
"""Bytes of a value in memory, by its type in a Parquet file."""


def _refuse_too_large(path: Path, footer: pq.FileMetaData, columns: Sequence[str]) -> None:
    """Refuse columns of more bytes than the memory of this machine, before they are read.

    Columns without a width, such as text and lists, have a size of their own only in what the
    footer says of each group; pyarrow aborts the process where that is damaged. So they are
    counted together, where all of them are wanted.

    Raises:
        OutOfMemoryError: the end of the file says so.
    """
    bytes_, others, all_wanted = 0.0, False, True
    for number in range(footer.num_columns):
        column = footer.schema.column(number)
        wanted = column.path.split(".")[0] in columns
        width = 0.0 if column.max_repetition_level else WIDTHS.get(column.physical_type, 0.0)
        bytes_ += footer.num_rows * width if wanted else 0.0
        if not width:
            others, all_wanted = True, all_wanted and wanted
    if others and all_wanted:
        for number in range(footer.num_row_groups):
            bytes_ += footer.row_group(number).total_byte_size
    memory = machine.memory()
    if bytes_ > memory:
        raise OutOfMemoryError(
            f"{path}: {footer.num_rows} rows take {bytes_ / 2**30:,.1f} GiB, "
            f"and this machine has {memory / 2**30:,.1f} GiB of memory; {SMALLER}"
        )
