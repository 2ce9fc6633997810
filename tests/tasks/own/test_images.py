"""A column of images: bytes, paths from the folder of their file, and the hub's structs."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from headstart.errors import HeadstartError
from headstart.tasks.base import Examples, Task
from headstart.tasks.own.images import image_shape, images, size_of
from headstart.tasks.sources.tables import SourceTable


def encoded(value: int, height: int = 2, width: int = 3) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height), value).save(buffer, "PNG")
    return buffer.getvalue()


def table(folder: Path, cells: Any) -> SourceTable:
    path = folder / "t.parquet"
    return SourceTable(path, (path,), np.array([0]), pa.table({"c": cells}))


def test_bytes_paths_and_structs_are_the_same_images(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(7))
    by_bytes, read = images(table(tmp_path, [encoded(7)]), "c", (), "L")
    by_path, digest = images(table(tmp_path, ["a.png"]), "c", (), "L")
    struct = [{"bytes": None, "path": "a.png"}]
    by_struct, _ = images(table(tmp_path, struct), "c", (), "L")
    assert by_bytes.tolist() == [[[[7, 7, 7], [7, 7, 7]]]]
    assert np.array_equal(by_bytes, by_path)
    assert np.array_equal(by_bytes, by_struct)
    assert read == ""
    assert len(digest) == 64


def test_a_size_scales_and_a_mode_gives_channels(tmp_path: Path) -> None:
    found, _ = images(table(tmp_path, [encoded(9, 2, 3), encoded(9, 4, 4)]), "c", (5, 6), "RGB")
    assert found.shape == (2, 3, 5, 6)
    assert np.unique(found).tolist() == [9]
    assert size_of(table(tmp_path, [encoded(1), encoded(2)]), "c") == (2, 3)
    assert size_of(table(tmp_path, [encoded(1), encoded(2, 5, 5)]), "c") is None


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (
            [encoded(1), encoded(1, 4, 4)],
            "column 'c' of 4x4 pixels, expected 2x3",
        ),
        ([b"none"], "row 0 has an image in column 'c' that cannot be decoded"),
        (["nowhere.png"], "row 0 has an image in column 'c' that cannot be read: 'nowhere.png'"),
        ([encoded(1), None], "row 1 has nothing in column 'c'"),
        ([1, 2], "expected bytes or paths of images in column 'c', got int64"),
    ],
)
def test_what_is_no_image_is_named_with_its_row(cells: Any, line: str, tmp_path: Path) -> None:
    with pytest.raises(HeadstartError) as caught:
        images(table(tmp_path, cells), "c", (), "L")
    assert line in str(caught.value)


def test_only_a_task_of_bytes_has_a_shape_of_images() -> None:
    some = Examples(torch.zeros(1, 3, 8, 9, dtype=torch.uint8), torch.zeros(1, dtype=torch.long))
    assert image_shape(Task("a", some, some, some, 2)) == (3, 8, 9)
    other = Examples(torch.zeros(1, 3), some.targets)
    with pytest.raises(HeadstartError, match=r"^table\.like: expected a task of images, got 'b'"):
        image_shape(Task("b", other, other, other, 2))
