"""Images in the cells of a column."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from PIL import Image

from headstart.errors import HeadstartError
from headstart.tasks.sources.pixels import decoded, encoded_images, grey_images

FILE = Path("a.parquet")
PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


def encoded(pixels: npt.NDArray[Any], kind: str = "PNG") -> bytes:
    """The pixels as a file of an image."""
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, kind)
    return written.getvalue()


def test_bytes_are_pixels_in_the_order_of_rows() -> None:
    table = pa.table({"image": [PIXELS.tobytes(), bytes(6)]})
    images = grey_images(table, "image", FILE, 2, 3)
    assert images.shape == (2, 1, 2, 3)
    assert (images[0, 0] == PIXELS).all()
    with pytest.raises(HeadstartError, match=r"row 0 has an image of 6 bytes .*expected 9 \(3x3\)"):
        grey_images(table, "image", FILE, 3, 3)


def test_an_encoded_image_is_decoded_also_out_of_a_struct() -> None:
    content = encoded(PIXELS)
    for cell in (content, {"bytes": content, "path": "a.png"}):
        images = encoded_images(pa.table({"image": [cell]}), "image", FILE, 2, 3, mode="L")
        assert (images[0, 0] == PIXELS).all()
    colour = encoded_images(pa.table({"image": [content]}), "image", FILE, 2, 3)
    assert (colour[0] == PIXELS).all()
    assert colour.shape == (1, 3, 2, 3)


def test_an_image_of_another_size_is_refused_with_its_row() -> None:
    table = pa.table({"image": [encoded(PIXELS)]})
    with pytest.raises(HeadstartError, match=r"row 0 has an image of 2x3 pixels .*, expected 3x2"):
        encoded_images(table, "image", FILE, 3, 2)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(
        HeadstartError, match=r"row 4 that cannot be decoded; expected PNG, .* or PPM"
    ):
        decoded(b"no image", "L", "row 4")
    deep = encoded(np.zeros((2, 2), dtype=np.int32), "TIFF")
    rows = b"".join(b"\0" + bytes(12) for _ in range(2))
    header = struct.pack(">2I5B", 2, 2, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n"
    for name, held in chunks:
        png += (
            struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))
        )
    ppm = b"P6 2 2 65535\n" + bytes(24)
    for each in (deep, png, ppm):
        with pytest.raises(HeadstartError, match="row 4 of more than 8 bits a channel"):
            decoded(each, "L", "row 4")
    assert decoded(b"P6 2 2 255\n" + bytes(12), "RGB", "row 4").size == (2, 2)


def test_a_drawing_on_a_transparent_ground_is_refused() -> None:
    """Its colours alone were taken: black lines on black, in every image."""
    drawing = np.zeros((2, 3, 4), np.uint8)
    drawing[0, 0, 3] = 255
    with pytest.raises(HeadstartError, match="image with transparent parts, expected none"):
        decoded(encoded(drawing), "RGB", "row 0 has an image")
    palette = Image.fromarray(PIXELS).convert("P")
    written = io.BytesIO()
    palette.save(written, "PNG", transparency=0)
    with pytest.raises(HeadstartError, match="image with transparent parts"):
        decoded(written.getvalue(), "L", "row 0 has an image")
    drawing[..., 3] = 255
    assert np.asarray(decoded(encoded(drawing), "L", "an image")).max() == 0
