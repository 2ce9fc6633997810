"""EMNIST letters: every image once, as in the file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS, Task

REAL = Path(os.environ.get("HEADSTART_DATA", "")) / "emnist_letters.parquet"
needs_file = pytest.mark.skipif(
    not REAL.is_file(), reason="needs emnist_letters.parquet in $HEADSTART_DATA"
)

LABELS = np.arange(60) % 26
IMAGES = np.random.Generator(np.random.Philox(key=2)).integers(0, 256, (60, 784), dtype=np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    columns = {
        "split": pa.array(["train"] * 52 + ["test"] * 8),
        "label": pa.array(LABELS, pa.uint8()),
        "image": pa.array([image.tobytes() for image in IMAGES], pa.binary(784)),
    }
    pq.write_table(pa.table(columns), tmp_path / "letters.parquet")
    return tmp_path / "letters.parquet"


def task(path: Path | None = None, **parameters: Any) -> Task:
    where = {"path": str(path)} if path else {}
    return TASKS.build(TASKS.component({"emnist-letters": {**where, **parameters}}))


def rows(*parts: object) -> list[tuple[int, bytes]]:
    pixels = [part.inputs.flatten(1).numpy() for part in parts]  # type: ignore[attr-defined]
    labels = [part.targets.numpy() for part in parts]  # type: ignore[attr-defined]
    return sorted(
        (int(y), x.tobytes())
        for y, x in zip(np.concatenate(labels), np.concatenate(pixels), strict=True)
    )


def test_every_image_of_the_file_is_in_one_part_with_its_label(file: Path) -> None:
    made = task(file, validation=12)
    assert [len(part) for part in (made.train, made.validation, made.test)] == [40, 12, 8]
    expected = [(int(y), x.tobytes()) for y, x in zip(LABELS, IMAGES, strict=True)]
    assert rows(made.train, made.validation) == sorted(expected[:52])
    assert rows(made.test) == sorted(expected[52:])
    assert (made.outputs, made.owners) == (26, None)
    assert len(task(file, validation=0).validation) == 0


def test_no_row_left_to_train_on_is_refused(file: Path) -> None:
    with pytest.raises(HeadstartError, match="expected fewer than the 52 training rows"):
        task(file, validation=52)


@needs_file
def test_the_real_file() -> None:
    made = task()
    assert [len(part) for part in (made.train, made.validation, made.test)] == [
        119_600,
        5_200,
        20_800,
    ]
    assert torch.bincount(made.test.targets).tolist() == [800] * 26
    assert (
        torch.bincount(torch.cat([made.train.targets, made.validation.targets])).tolist()
        == [4800] * 26
    )
    TASKS.entry("emnist-letters").factory.cache_clear()  # type: ignore[attr-defined]
