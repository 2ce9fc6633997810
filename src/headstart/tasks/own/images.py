"""A column of images: encoded bytes, paths of files, or the hub's structs of both."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from PIL import Image

from headstart import files
from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.tasks.base import Task
from headstart.tasks.sources.cell_types import is_bytes, is_text
from headstart.tasks.sources.pixels import FORMATS, decoded
from headstart.tasks.sources.tables import SourceTable

Images = npt.NDArray[np.uint8]


def images(
    table: SourceTable, column: str, size: tuple[int, ...], mode: Literal["RGB", "L"]
) -> tuple[Images, str]:
    """A column of images [N, channels, height, width], and a sha256 of the files that paths led to,
    empty without any.

    A cell is encoded bytes, a path from the folder of its file, or the hub's struct of `bytes` and
    `path`, of which the path counts where there are no bytes.

    `size`: height and width to which every image is scaled; where it is empty all must be as large
    as the first.

    Raises:
        HeadstartError: an image that is not there, cannot be decoded or is of another size, with
            its row.
    """
    height, width = size or (0, 0)
    made: list[Images] = []
    read = hashlib.sha256()
    for place, content, by_path in _contents(table, column):
        if by_path:
            read.update(hashlib.sha256(content).digest())
        image = decoded(content, mode, place)
        height, width = (height, width) if height else (image.height, image.width)
        if (image.height, image.width) != (height, width):
            if not size:
                raise HeadstartError(
                    f"{place} of {image.height}x{image.width} pixels, expected {height}x{width} "
                    "as in row 0; give the task a size to scale them to"
                )
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        made.append(np.asarray(image).reshape(height, width, -1).transpose(2, 0, 1))
    paths = read.digest() != hashlib.sha256().digest()
    return np.stack(made), read.hexdigest() if paths else ""


def size_of(table: SourceTable, column: str) -> tuple[int, int] | None:
    """Height and width of the images of a column, None where they differ. Only their heads are
    read.

    Raises:
        HeadstartError: an image that is not there or is none, with its row.
    """
    sizes = {_size(content, place) for place, content, _ in _contents(table, column)}
    return sizes.pop() if len(sizes) == 1 else None


def image_shape(task: Task) -> tuple[int, ...]:
    """Channels, height and width of the images of a task.

    Raises:
        HeadstartError: it has no images of bytes.
    """
    if task.train.inputs.dtype != torch.uint8 or task.train.inputs.ndim != 4:
        raise HeadstartError(f"table.like: expected a task of images, got {task.name!r}")
    return task.input_shape


def _contents(table: SourceTable, column: str) -> Iterator[tuple[str, bytes, bool]]:
    """Of each row how an error names it, the encoded image, and whether a path led to it."""
    cells = table.column(column)
    is_hub = pa.types.is_struct(cells.type) and "bytes" in {field.name for field in cells.type}
    if not (is_hub or is_text(cells.type) or is_bytes(cells.type)):
        raise HeadstartError(
            f"{table.path}: expected bytes or paths of images in column {column!r}, got "
            f"{cells.type}"
        )
    for row, scalar in enumerate(cells):
        cell = scalar.as_py()
        cell = cell["bytes"] or cell.get("path") if is_hub else cell
        if not cell:
            raise HeadstartError(f"{table.at(row)} has nothing in column {column!r}")
        place = f"{table.at(row)} has an image in column {column!r}"
        yield (
            place,
            _content(cell, table.files[table.file_of(row)].parent, place),
            isinstance(cell, str),
        )


def _size(content: bytes, place: str) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            return opened.height, opened.width
    except Exception as error:  # whatever a damaged image may raise
        raise HeadstartError(f"{place} that cannot be decoded") from error


def _content(cell: Any, folder: Path, place: str) -> bytes:
    if not isinstance(cell, str):
        return bytes(cell)
    path = folder / cell
    try:
        with files.explained(path, "read"):
            return path.read_bytes()
    except HeadstartError as error:
        reason = str(error).removeprefix(f"cannot read {path}: ")
        raise HeadstartError(f"{place} that cannot be read: {shown(cell)}: {reason}") from error
