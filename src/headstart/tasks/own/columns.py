"""The columns of a user's table as numbers, classes, parts, images and text."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from headstart.errors import HeadstartError
from headstart.tasks.data_files import decoded, is_bytes, is_text
from headstart.tasks.own.sources import Table
from headstart.validation import shown

Images = npt.NDArray[np.uint8]
MOST = float(np.finfo(np.float32).max)


def numbers(table: Table, column: str) -> npt.NDArray[np.float64]:
    """A column of numbers [N]; true and false are 1 and 0, and text is read as a number.

    Raises:
        HeadstartError: a cell that is no number, not finite or too large for float32, with its row.
    """
    cells = table.column(column)
    if is_text(cells.type):
        try:
            values = np.asarray(pc.cast(pc.utf8_trim_whitespace(cells), pa.float64()).to_numpy())
        except pa.ArrowInvalid:
            values = np.array([_number(cell) for cell in cells.to_pylist()])
    elif pa.types.is_decimal(cells.type):
        values = np.asarray(cells.cast(pa.float64()).to_numpy())
    elif pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_boolean(cells.type):
        values = np.asarray(cells.to_numpy(), dtype=np.float64)
    else:
        raise HeadstartError(f"{table.path}: expected numbers in column {column!r}, got {cells.type}")
    for wrong, expected in (
        (~np.isfinite(values), "a finite number"),
        (np.abs(values) > MOST, f"a number of at most {MOST:.1e}, as float32 holds; scale the column"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            raise HeadstartError(
                f"{table.at(row)} has {shown(cells[row].as_py())} in column {column!r}, expected {expected}"
            )
    return values


def words(table: Table, column: str, known: Sequence[str]) -> npt.NDArray[np.object_]:
    """A column of text [N], each cell one of the known words.

    Raises:
        HeadstartError: another type, or another word, with its row.
    """
    cells, expected = table.column(column), f"{', '.join(known[:-1])} or {known[-1]}"
    if not is_text(cells.type):
        raise HeadstartError(f"{table.path}: expected {expected} in column {column!r}, got {cells.type}")
    values = np.asarray(cells.to_pylist(), dtype=object)
    wrong = ~np.isin(values, known)
    if wrong.any():
        row = int(wrong.argmax())
        raise HeadstartError(f"{table.at(row)} has {shown(values[row])} in column {column!r}, expected {expected}")
    return values


def texts(table: Table, column: str) -> list[str]:
    """A column of text.

    Raises:
        HeadstartError: another type.
    """
    cells = table.column(column)
    if not is_text(cells.type):
        raise HeadstartError(f"{table.path}: expected text in column {column!r}, got {cells.type}")
    return list(cells.to_pylist())


def images(table: Table, column: str, size: tuple[int, ...], mode: Literal["RGB", "L"]) -> tuple[Images, str]:
    """A column of images [N, channels, height, width], and a sha256 of the files that paths led to, empty without any.

    A cell is encoded bytes, a path from the folder of the table, or the hub's struct of `bytes` and `path`, of which
    the path counts where there are no bytes.

    `size`: height and width to which every image is scaled; where it is empty all must be as large as the first.

    Raises:
        HeadstartError: an image that is not there, cannot be decoded or is of another size, with its row.
    """
    cells = table.column(column)
    is_hub = pa.types.is_struct(cells.type) and "bytes" in {field.name for field in cells.type}
    if not (is_hub or is_text(cells.type) or is_bytes(cells.type)):
        raise HeadstartError(f"{table.path}: expected bytes or paths of images in column {column!r}, got {cells.type}")
    folder = table.files[0].parent
    height, width = size or (0, 0)
    made: list[Images] = []
    read = hashlib.sha256()
    for row, scalar in enumerate(cells):
        cell = scalar.as_py()
        cell = cell["bytes"] or cell.get("path") if is_hub else cell
        if not cell:
            raise HeadstartError(f"{table.at(row)} has nothing in column {column!r}")
        place = f"{table.at(row)} has an image in column {column!r}"
        try:
            content = (folder / cell).read_bytes() if isinstance(cell, str) else cell
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise HeadstartError(f"{place} that cannot be read: {shown(cell)}: {reason}") from error
        if isinstance(cell, str):
            read.update(hashlib.sha256(content).digest())
        image = decoded(content, mode, place)
        height, width = (height, width) if height else (image.height, image.width)
        if (image.height, image.width) != (height, width):
            if not size:
                raise HeadstartError(
                    f"{place} of {image.height}x{image.width} pixels, expected {height}x{width} as in row 0; "
                    "give the task a size to scale them to"
                )
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        made.append(np.asarray(image).reshape(height, width, -1).transpose(2, 0, 1))
    by_path = read.digest() != hashlib.sha256().digest()
    return np.stack(made), read.hexdigest() if by_path else ""


def _number(cell: str) -> float:
    try:
        return np.nan if "_" in cell else float(cell)  # Python reads 1_0 as 10, and nobody else does
    except ValueError:
        return np.nan
