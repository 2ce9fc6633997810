"""Columns of Parquet files, with every fault in one line that names the row."""

import hashlib
import io
import json
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from headstart import files, machine
from headstart.errors import HeadstartError, OutOfMemoryError, nearest, reason
from headstart.parts.validation import shown
from headstart.tables import IN_THIS_THREAD

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""What is decoded, by Pillow itself. Others it hands to programs: PostScript to Ghostscript, which
runs it.
"""
VIEWS = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}


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
            raise HeadstartError(f"{path}: row {row} has nothing in column {name!r}")


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
        table = pa.table({name: _without_extension(table[name]) for name in table.column_names})
        table = table.cast(
            pa.schema([(field.name, _plain_type(field.type)) for field in table.schema])
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


def _without_extension(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells as they are stored, where their type is one that others made of it; a UUID is its
    text.
    """
    if not isinstance(cells.type, pa.BaseExtensionType):
        return cells
    if str(cells.type) == "extension<arrow.uuid>":
        return pa.chunked_array(
            [[None if cell is None else str(cell) for cell in cells.to_pylist()]], pa.string()
        )
    return pa.chunked_array([chunk.storage for chunk in cells.chunks], cells.type.storage_type)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return VIEWS.get(str(kind), kind)


def is_text(kind: pa.DataType) -> bool:
    """Whether the cells of a column are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether they are bytes."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def together(*contents: str) -> str:
    """One sha256 of several, of which the empty ones are left out; of one, that one, and of none,
    nothing.
    """
    found = [content for content in contents if content]
    return (
        hashlib.sha256(" ".join(found).encode()).hexdigest() if len(found) > 1 else "".join(found)
    )


def whole_numbers(
    table: pa.Table, column: str, path: Path, below: int | None = None
) -> npt.NDArray[np.int64]:
    """A column of whole numbers [N], 0 or more and less than `below`.

    Raises:
        HeadstartError: another type, or a number out of range, with its row.
    """
    if not pa.types.is_integer(table.schema.field(column).type):
        raise HeadstartError(
            f"{path}: expected whole numbers in column {column!r}, got "
            f"{table.schema.field(column).type}"
        )
    numbers = np.asarray(table[column].to_numpy(), dtype=np.int64)
    wrong = (numbers < 0) | (numbers >= (np.iinfo(np.int64).max if below is None else below))
    if wrong.any():
        row = int(wrong.argmax())
        expected = "0 or more" if below is None else f"0 to {below - 1}"
        raise HeadstartError(
            f"{path}: row {row} has {numbers[row]} in column {column!r}, expected {expected}"
        )
    return numbers


def grey_images(
    table: pa.Table, column: str, path: Path, height: int, width: int
) -> npt.NDArray[np.uint8]:
    """A column of images [N, 1, height, width], each `height * width` bytes in the order of rows.

    Args:
        table: the cells.
        column: the name of the column.
        path: the file, for error messages.
        height: in pixels.
        width: in pixels.

    Raises:
        HeadstartError: another type, or an image of another length, with its row.
    """
    cells, size = _bytes(table, column, path), height * width
    lengths = pc.binary_length(cells)
    if (row := pc.index(pc.not_equal(lengths, size), True).as_py()) >= 0:
        raise HeadstartError(
            f"{path}: row {row} has an image of {lengths[row]} bytes in column {column!r}, "
            f"expected {size} ({height}x{width})"
        )
    pixels = [np.empty(0, dtype=np.uint8)]
    for chunk in cells.cast(pa.binary(size)).chunks:
        values = np.frombuffer(chunk.buffers()[1], dtype=np.uint8)
        first = chunk.offset * size
        pixels.append(values[first : first + len(chunk) * size])
    return np.concatenate(pixels).reshape(-1, 1, height, width)


def encoded_images(
    table: pa.Table,
    column: str,
    path: Path,
    height: int,
    width: int,
    mode: Literal["RGB", "L"] = "RGB",
) -> npt.NDArray[np.uint8]:
    """A column of images [N, channels, height, width] in one of `FORMATS`.

    A cell is bytes, or the hub's `Image` feature, a struct of `bytes` and `path`.

    Args:
        table: the cells.
        column: the name of the column.
        path: the file, for error messages.
        height: in pixels.
        width: in pixels.
        mode: three channels of colour, or one of grey.

    Raises:
        HeadstartError: another type, an image that cannot be decoded or of another size, with its
            row.
    """
    images = np.empty((len(table), len(mode), height, width), dtype=np.uint8)
    for row, cell in enumerate(_bytes(table, column, path)):
        place = f"{path}: row {row} has an image in column {column!r}"
        image = decoded(cell.as_py() or b"", mode, place)
        if image.size != (width, height):
            raise HeadstartError(
                f"{path}: row {row} has an image of {image.height}x{image.width} pixels in "
                f"column {column!r}, expected {height}x{width}"
            )
        images[row] = np.asarray(image).reshape(height, width, -1).transpose(2, 0, 1)
    return images


def decoded(content: bytes, mode: Literal["RGB", "L"], place: str) -> Image.Image:
    """An image in one of `FORMATS`. `place` begins the line about a fault: whose image it is.

    Raises:
        HeadstartError: it cannot be decoded, is of another format or of more pixels than Pillow
            takes for honest, or has more than 8 bits a channel, which Pillow would cut off.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                found = opened.mode
                image = opened.convert(mode)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = Image.MAX_IMAGE_PIXELS or 0
        raise HeadstartError(f"{place} of more than {most} pixels; scale it down first") from error
    except Exception as error:  # whatever a damaged image may raise
        raise HeadstartError(
            f"{place} that cannot be decoded; expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        ) from error
    if found.startswith(("I", "F")):
        raise HeadstartError(
            f"{place} of more than 8 bits a channel (mode {found!r}), expected 8; scale its "
            "numbers to 0 to 255 first"
        )
    return image


def _bytes(table: pa.Table, column: str, path: Path) -> pa.ChunkedArray:
    cells, kind = table[column], table.schema.field(column).type
    if pa.types.is_struct(kind) and "bytes" in {field.name for field in kind}:
        cells, kind = pc.struct_field(cells, "bytes"), kind.field("bytes").type
    if not is_bytes(kind):
        raise HeadstartError(f"{path}: expected bytes in column {column!r}, got {kind}")
    return cells


def splits(
    table: pa.Table, column: str, path: Path
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows of `train` and those of `test`.

    Raises:
        HeadstartError: another word in the column, with its row, or a part without rows.
    """
    if not is_text(table.schema.field(column).type):
        raise HeadstartError(
            f"{path}: expected train or test in column {column!r}, got "
            f"{table.schema.field(column).type}"
        )
    words = np.asarray(table[column].to_pylist(), dtype=object)
    train, test = (np.flatnonzero(words == part) for part in ("train", "test"))
    if len(train) + len(test) < len(words):
        row = int((~np.isin(words, ["train", "test"])).argmax())
        raise HeadstartError(
            f"{path}: row {row} has {shown(words[row])} in column {column!r}, expected train or "
            "test"
        )
    for part, rows in (("train", train), ("test", test)):
        if not len(rows):
            raise HeadstartError(f"{path}: no row is {part} in column {column!r}")
    return train, test
