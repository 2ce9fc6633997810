"""Images in the cells of a column, as pixels; every fault in one line that names the row."""

import io
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, ImageFile

from headstart.errors import HeadstartError
from headstart.tasks.sources.cell_types import is_bytes

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""What is decoded, by Pillow itself. Others it hands to programs: PostScript to Ghostscript, which
runs it.
"""


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
            takes for honest, has more than 8 bits a channel, which Pillow would cut off, or
            transparent parts, whose colours nobody sees.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                found = opened.mode
                is_deep = found.startswith(("I", "F")) or _has_deep_channels(opened)
                is_transparent = _has_transparent_parts(opened)
                image = opened.convert(mode)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        most = Image.MAX_IMAGE_PIXELS or 0
        raise HeadstartError(f"{place} of more than {most} pixels; scale it down first") from error
    except Exception as error:  # whatever a damaged image may raise
        raise HeadstartError(
            f"{place} that cannot be decoded; expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        ) from error
    if is_deep:
        raise HeadstartError(
            f"{place} of more than 8 bits a channel (mode {found!r}), expected 8; scale its "
            "numbers to 0 to 255 first"
        )
    if is_transparent:
        raise HeadstartError(
            f"{place} with transparent parts, expected none: the colours beneath are not what is "
            "seen; lay it on a ground first, such as white"
        )
    return image


def _has_transparent_parts(opened: ImageFile.ImageFile) -> bool:
    """Whether some pixel of an image is not opaque."""
    if not opened.has_transparency_data:
        return False
    opacity = np.asarray(opened.convert("RGBA").getchannel("A"))
    return bool((opacity < 255).any())


def _has_deep_channels(opened: ImageFile.ImageFile) -> bool:
    """Whether the tiles of an image that Pillow would cut to 8 bits a channel have more.

    A tile says how its bytes are to be read: as `RGB;16B`, or (PPM) with their largest number.
    """
    for tile in opened.tile:
        told = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        for word in told:
            if isinstance(word, str) and ";16" in word:
                return True
            if opened.format == "PPM" and isinstance(word, int) and word > 255:
                return True
    return False


def _bytes(table: pa.Table, column: str, path: Path) -> pa.ChunkedArray:
    cells, kind = table[column], table.schema.field(column).type
    if pa.types.is_struct(kind) and "bytes" in {field.name for field in kind}:
        cells, kind = pc.struct_field(cells, "bytes"), kind.field("bytes").type
    if not is_bytes(kind):
        raise HeadstartError(f"{path}: expected bytes in column {column!r}, got {kind}")
    return cells
