"""CIFAR-10: decoded pixels are those of the file, normalised as told; ours, the hub's form,
and damaged files.
"""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS, Task

FOLDER = Path(os.environ.get("HEADSTART_DATA", ""))
needs_files = pytest.mark.skipif(
    not (
        (FOLDER / "cifar10_train.parquet").is_file() and (FOLDER / "cifar10_test.parquet").is_file()
    ),
    reason="needs cifar10_train.parquet and cifar10_test.parquet in $HEADSTART_DATA",
)

IMAGES = np.random.Generator(np.random.Philox(key=3)).integers(
    0, 256, (24, 32, 32, 3), dtype=np.uint8
)
LABELS = np.arange(24) % 10


def encoded(image: np.ndarray[Any, Any], form: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **({"lossless": True} if form == "webp" else {}))
    return buffer.getvalue()


def written(path: Path, rows: slice = slice(None), hub: bool = False, **changes: Any) -> Path:
    cells = [encoded(image, "png" if hub else "webp") for image in IMAGES[rows]]
    columns: dict[str, Any] = {
        "image": pa.array(cells, pa.binary()),
        "label": pa.array(LABELS[rows]),
    }
    if hub:
        columns["img"] = pa.array([{"bytes": cell, "path": None} for cell in cells])
        del columns["image"]
    pq.write_table(pa.table({**columns, **changes}), path)
    return path


def task(train: Path, test: Path, **parameters: Any) -> Task:
    return TASKS.build(
        TASKS.component({"cifar10": {"train": str(train), "test": str(test), **parameters}})
    )


def pixels(
    inputs: torch.Tensor, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> np.ndarray[Any, Any]:
    """What the inputs were before they were normalised, [N, 32, 32, 3] in 0 to 255."""
    back = inputs.permute(0, 2, 3, 1).double() * torch.tensor(deviation) + torch.tensor(mean)
    return (back * 255).numpy()


@pytest.mark.parametrize("hub", [False, True])
def test_every_image_of_the_files_is_in_one_part_normalised_as_told(
    tmp_path: Path, hub: bool
) -> None:
    train = written(tmp_path / "train.parquet", slice(18), hub)
    test = written(tmp_path / "test.parquet", slice(18, None), hub)
    mean, deviation = (0.5, 0.4, 0.3), (0.1, 0.2, 0.4)
    column = {"image": "img"} if hub else {}
    made = task(train, test, validation=5, mean=list(mean), deviation=list(deviation), **column)
    assert [len(part) for part in (made.train, made.validation, made.test)] == [13, 5, 6]
    got = {int(image.astype(np.int64).sum()): row for row, image in enumerate(IMAGES)}
    assert len(got) == 24  # sums tell the images apart
    seen = []
    for part in (made.train, made.validation, made.test):
        assert part.inputs.dtype == torch.uint8
        back = pixels(made.prepare()(part.inputs), mean, deviation)
        places = [got[round(image.sum())] for image in back]
        assert np.abs(back - IMAGES[places]).max() < 1e-3
        assert part.targets.tolist() == LABELS[places].tolist()
        assert places == sorted(places)  # in the order of the file
        seen += places
    assert sorted(seen) == list(range(24))
    assert seen[-6:] == list(range(18, 24))


def test_the_preset_for_imagenet_changes_the_moments_alone(tmp_path: Path) -> None:
    files = written(tmp_path / "train.parquet"), written(tmp_path / "test.parquet")
    plain = task(*files, validation=3)
    written_out = f"cifar10@imagenet(train={str(files[0])!r}, test={str(files[1])!r}, validation=3)"
    other = TASKS.build(TASKS.component(written_out))
    seen, otherwise = (made.prepare()(made.train.inputs) for made in (plain, other))
    one = pixels(seen, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    same = pixels(otherwise, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert np.abs(one - same).max() < 1e-3
    assert not torch.allclose(seen, otherwise, atol=0.01)


def test_bad_files_get_one_line_with_the_row(tmp_path: Path) -> None:
    def refusal(**changes: Any) -> str:
        parameters = {
            name: changes.pop(name) for name in ("validation", "deviation") if name in changes
        }
        train = written(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet", **changes)
        with pytest.raises(HeadstartError) as caught:
            task(train, train, **{"validation": 2, **parameters})
        assert "\n" not in str(caught.value)
        return str(caught.value)

    cells = [encoded(image) for image in IMAGES]
    broken = pa.array(
        [cell[:60] if row == 4 else cell for row, cell in enumerate(cells)], pa.binary()
    )
    assert "row 4 has an image in column 'image' that cannot be decoded" in refusal(image=broken)
    large = pa.array(
        [encoded(np.zeros((33, 32, 3), np.uint8)) if row == 9 else c for row, c in enumerate(cells)]
    )
    assert "row 9 has an image of 33x32 pixels in column 'image', expected 32x32" in refusal(
        image=large
    )
    buffer = io.BytesIO()
    Image.new("I;16", (32, 32)).save(buffer, "png")
    deep = pa.array([buffer.getvalue() if row == 2 else cell for row, cell in enumerate(cells)])
    assert "row 2 has an image in column 'image' of more than 8 bits a channel" in refusal(
        image=deep
    )
    assert "row 23 has 10 in column 'label', expected 0 to 9" in refusal(
        label=pa.array([*LABELS[:23], 10])
    )
    assert "no column 'image'; did you mean 'img'?" in refusal(hub=True)
    assert "expected fewer than the 24 rows" in refusal(validation=24)
    assert "deviation[1]: expected a number > 0, got 0.0" in refusal(deviation=[1.0, 0.0, 1.0])
    path = tmp_path / "damaged.parquet"
    path.write_bytes(b"no Parquet")
    with pytest.raises(HeadstartError, match="cannot be read as Parquet"):
        task(path, path)


def binary(path: Path, rows: slice) -> None:
    planes = IMAGES[rows].transpose(0, 3, 1, 2).reshape(-1, 3072)
    path.write_bytes(
        np.concatenate([LABELS[rows, None].astype(np.uint8), planes], axis=1).tobytes()
    )


def test_the_binary_version_is_the_same_as_the_encoded_one(tmp_path: Path) -> None:
    for i in range(3):
        binary(tmp_path / f"data_batch_{i + 1}.bin", slice(6 * i, 6 * i + 6))
    binary(tmp_path / "test_batch.bin", slice(18, None))
    train = written(tmp_path / "train.parquet", slice(18))
    test = written(tmp_path / "test.parquet", slice(18, None))
    one, other = task(tmp_path, tmp_path, validation=5), task(train, test, validation=5)
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(one, part).inputs, getattr(other, part).inputs)
        assert torch.equal(getattr(one, part).targets, getattr(other, part).targets)


def test_bad_binary_files_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        HeadstartError, match=r"expected data_batch_\*\.bin of the binary version of CIFAR-10"
    ):
        task(tmp_path, tmp_path)
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(3073 * 2 + 1))
    with pytest.raises(
        HeadstartError, match=r"data_batch_1\.bin: expected rows of 3073 bytes, got 6147 bytes"
    ):
        task(tmp_path, tmp_path)
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(3073) + bytes([11]) + bytes(3072))
    with pytest.raises(HeadstartError, match="row 1 has the label 11, expected 0 to 9"):
        task(tmp_path, tmp_path)


@pytest.mark.slow
@needs_files
def test_the_real_files_have_the_published_moments() -> None:
    made = TASKS.build(TASKS.component("cifar10"))
    assert [len(part) for part in (made.train, made.validation, made.test)] == [
        45_000,
        5_000,
        10_000,
    ]
    labels = torch.cat([made.train.targets, made.validation.targets])
    assert torch.bincount(labels).tolist() == [5000] * 10
    assert torch.bincount(made.test.targets).tolist() == [1000] * 10
    # Of all 50,000 the mean is 0 and the deviation 1, as far as four digits tell.
    for channel in range(3):
        parts = (
            made.prepare()(part.inputs)[:, channel].flatten()
            for part in (made.train, made.validation)
        )
        values = torch.cat(list(parts)).double()
        assert values.mean().item() == pytest.approx(0, abs=5e-4)
        assert values.std().item() == pytest.approx(1, abs=5e-4)
    TASKS.entry("cifar10").factory.cache_clear()  # type: ignore[attr-defined]
