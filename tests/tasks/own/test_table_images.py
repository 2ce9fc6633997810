"""Images of a table: as bytes, as paths, of every common type; none that runs a program."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import EpsImagePlugin, Image
from tests.tasks.own.small_tables import DRAW, csv, parquet, task

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS
from headstart.tasks.sources.pixels import encoded_images


def encoded(image: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def test_images_as_bytes_and_as_paths_are_the_same(tmp_path: Path) -> None:
    pixels = DRAW.integers(0, 256, (10, 6, 4, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        (tmp_path / f"{i}.png").write_bytes(encoded(image))
    columns: dict[str, Any] = {
        "y": [i % 2 for i in range(10)],
        "photo": [f"{i}.png" for i in range(10)],
    }
    shift: dict[str, Any] = {"image": "photo", "mean": [0.0], "deviation": [1.0], "validation": 0.0}
    one = task(csv(tmp_path / "t.csv", columns), **shift)
    other = task(
        parquet(tmp_path / "t.parquet", {**columns, "photo": [encoded(image) for image in pixels]}),
        **shift,
    )
    hub = [{"bytes": encoded(image), "path": None} for image in pixels]
    third = task(parquet(tmp_path / "hub.parquet", {**columns, "photo": hub}), **shift)
    assert one.input_shape == (3, 6, 4)
    for made in (one, other, third):
        inputs = torch.cat([made.train.inputs, made.test.inputs])
        got = inputs.permute(0, 2, 3, 1).numpy()
        assert sorted(image.tobytes() for image in got) == sorted(
            image.tobytes() for image in pixels
        )
        assert torch.equal(made.prepare()(inputs), inputs.float() / 255)
    grey = task(tmp_path / "t.csv", **{**shift, "colour": False, "size": [3, 2]})
    assert grey.input_shape == (1, 3, 2)
    found = task(tmp_path / "t.csv", image="photo")
    standard = found.prepare()(found.train.inputs).double()
    assert torch.allclose(standard.mean((0, 2, 3)), torch.zeros(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(
        standard.std((0, 2, 3), correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5
    )


def test_damaged_files_and_images_get_one_line(tmp_path: Path) -> None:
    def refusal(name: str, content: bytes, **parameters: Any) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HeadstartError) as caught:
            task(tmp_path / name, **parameters)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "or a folder of such files, got 't.xlsx'" in refusal("t.xlsx", b"")
    assert "cannot be read as Parquet" in refusal("t.parquet", b"no Parquet")
    assert "cannot be read as CSV: row 1: Expected 2 columns, got 1: 3" in refusal(
        "t.csv", b"y,x\n1,2\n3\n"
    )
    assert "e.csv is empty" in refusal("e.csv", b"\n")
    assert "e.jsonl is empty" in refusal("e.jsonl", b"\n")
    assert "row 1 has a whole number of more than 4300 digits" in refusal(
        "n.jsonl", b'{"y": 1, "x": 2}\n{"y": 1, "x": ' + b"1" * 5000 + b"}\n"
    )
    assert "cannot be read as text" in refusal("u.csv", b"y,\xff\n1,2\n")
    assert "the column 'x' is there twice" in refusal("v.csv", b"y,x,x\n1,2,3\n")
    assert "row 1 cannot be read as JSON" in refusal("t.jsonl", b'{"y": 1, "x": 2}\n{"y": 1,\n')
    assert "row 1 is [1], expected an object" in refusal("u.jsonl", b'{"y": 1, "x": 2}\n[1]\n')
    images = [
        encoded(np.zeros((4, 4, 3), np.uint8)),
        encoded(np.zeros((5, 4, 3), np.uint8)),
        b"no image",
    ]
    parquet(tmp_path / "i.parquet", {"y": [0, 1, 0], "photo": images})
    with pytest.raises(
        HeadstartError, match="row 1 has an image in column 'photo' of 5x4 pixels, expected 4x4"
    ):
        task(tmp_path / "i.parquet", image="photo", unseen="keep")
    with pytest.raises(
        HeadstartError, match="row 2 has an image in column 'photo' that cannot be decoded"
    ):
        task(tmp_path / "i.parquet", image="photo", size=[4, 4], unseen="keep")


def test_images_of_formats_that_run_programs_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow hands PostScript to Ghostscript: here to a program of that name that leaves a mark."""
    ran, programs = tmp_path / "ran", tmp_path / "bin"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\necho > {ran}\n")
    (programs / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n{} loop\n%%EOF\n"
    with pytest.raises(HeadstartError) as caught:
        task(
            parquet(tmp_path / "t.parquet", {"y": [0, 1] * 5, "photo": [script] * 10}),
            image="photo",
        )
    assert str(caught.value).endswith(
        "row 0 has an image in column 'photo' that cannot be decoded; expected PNG, JPEG, GIF, "
        "BMP, WEBP, TIFF or PPM"
    )
    assert not ran.exists()
    with pytest.raises(HeadstartError, match="that cannot be decoded; expected PNG"):
        encoded_images(pa.table({"img": [script]}), "img", tmp_path / "c.parquet", 4, 4)
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp", "tiff", "ppm"])
def test_images_of_common_formats_are_decoded(kind: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), (255, 255, 255)).save(buffer, kind)
    columns: dict[str, list[Any]] = {"y": [0, 1] * 5, "photo": [buffer.getvalue()] * 10}
    made = task(parquet(tmp_path / "t.parquet", columns), image="photo")
    assert (made.train.inputs == 255).all()
    assert made.input_shape == (3, 3, 4)


def test_images_like_those_of_another_table_are_prepared_as_those(tmp_path: Path) -> None:
    drawn = [DRAW.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8) // (1 + i) for i in range(2)]
    files = [
        parquet(
            tmp_path / f"{i}.parquet",
            {"y": [0, 1] * 5, "photo": [encoded(image) for image in images]},
        )
        for i, images in enumerate(drawn)
    ]
    target: dict[str, Any] = {
        "path": str(files[0]),
        "label": "y",
        "image": "photo",
        "colour": False,
        "size": [2, 2],
    }
    made = TASKS.build(TASKS.component({"table": target}))
    proxy = task(files[1], image="photo", like={"table": target})
    assert proxy.input_shape == (1, 2, 2)
    zeros = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    assert torch.equal(proxy.prepare()(zeros), made.prepare()(zeros))


def test_images_that_are_larger_than_they_look_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 16 pixels Pillow only warns, of 31 it raises.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)
    file = parquet(
        tmp_path / "t.parquet",
        {"y": [0, 1] * 5, "photo": [encoded(np.zeros((4, 4, 3), np.uint8))] * 10},
    )
    with pytest.raises(
        HeadstartError, match="row 0 has an image in column 'photo' of more than 15 pixels; scale"
    ):
        task(file, image="photo")


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_of_more_than_8_bits_are_refused(mode: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4), 300).save(buffer, "tiff")
    file = parquet(tmp_path / "i.parquet", {"y": [0, 1] * 5, "photo": [buffer.getvalue()] * 10})
    with pytest.raises(
        HeadstartError, match="row 0 has an image in column 'photo' of more than 8 bits a channel"
    ):
        task(file, image="photo", colour=False)


def test_images_by_path_are_part_of_the_content(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(encoded(np.full((2, 2, 3), i, np.uint8)))
    file = csv(tmp_path / "t.csv", {"y": [0, 1] * 2, "photo": [f"{i}.png" for i in range(4)]})

    def content() -> str:
        TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
        return task(file, image="photo", unseen="keep").content

    before = content()
    assert content() == before
    kept = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes((tmp_path / "3.png").read_bytes())
    assert content() != before
    (tmp_path / "2.png").write_bytes(kept)
    assert content() == before


@pytest.mark.parametrize(
    "kind",
    [
        "large_string",
        "dictionary",
        "string_view",
        "fixed_size_binary",
        "large_binary",
        "binary_view",
        "hub",
    ],
)
def test_images_of_every_common_type_are_the_same(kind: str, tmp_path: Path) -> None:
    images = [encoded(image) for image in DRAW.integers(0, 256, (10, 3, 3, 3), dtype=np.uint8)]
    paths = [f"{i}.png" for i in range(10)]
    for path, image in zip(paths, images, strict=True):
        (tmp_path / path).write_bytes(image)
    longest = max(map(len, images))
    column: dict[str, Any] = {
        "large_string": pa.array(paths, pa.large_string()),
        "dictionary": pa.array(paths).dictionary_encode(),
        "string_view": pa.array(paths, pa.string_view()),
        "fixed_size_binary": pa.array(
            [image.ljust(longest, b"\0") for image in images], pa.binary(longest)
        ),
        "large_binary": pa.array(images, pa.large_binary()),
        "binary_view": pa.array(images, pa.binary_view()),
        "hub": [
            {"bytes": None if i % 2 else image, "path": paths[i]} for i, image in enumerate(images)
        ],
    }[kind]
    expected = task(
        parquet(tmp_path / "e.parquet", {"y": [0, 1] * 5, "photo": images}), image="photo"
    )
    got = task(parquet(tmp_path / "g.parquet", {"y": [0, 1] * 5, "photo": column}), image="photo")  # type: ignore[dict-item]
    assert torch.equal(got.train.inputs, expected.train.inputs)
    assert torch.equal(got.test.inputs, expected.test.inputs)
