"""Writers are clients: nobody is in two parts, every image arrives as it is in the file,
bad files get one line.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, TASKS, Task

REAL = Path(os.environ.get("HEADSTART_DATA", "")) / "mnist_by_writer.parquet"
needs_file = pytest.mark.skipif(
    not REAL.is_file(), reason="needs mnist_by_writer.parquet in $HEADSTART_DATA"
)

ROWS = 40
WRITERS = np.r_[np.arange(30) % 6, 100 + np.arange(10) % 3]
LABELS = np.arange(ROWS) % 10
IMAGES = np.random.Generator(np.random.Philox(key=1)).integers(0, 256, (ROWS, 784), dtype=np.uint8)


def written(path: Path, **changes: Any) -> Path:
    columns: dict[str, Any] = {
        "writer_id": pa.array(WRITERS, pa.int32()),
        "split": pa.array(["train"] * 30 + ["test"] * 10).dictionary_encode(),
        "label": pa.array(LABELS, pa.uint8()),
        "image": pa.array([image.tobytes() for image in IMAGES], pa.binary(784)),
    }
    pq.write_table(
        pa.table({name: part for name, part in {**columns, **changes}.items() if part is not None}),
        path,
    )
    return path


def task(path: Path | None = None, **parameters: Any) -> Task:
    where = {"path": str(path)} if path else {}
    return TASKS.build(TASKS.component({"mnist-writers": {**where, **parameters}}))


def refusal(path: Path, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        task(path, **{"validation_writers": 2, **parameters})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_image_of_the_file_is_in_one_part_with_its_label_and_writer(tmp_path: Path) -> None:
    made = task(written(tmp_path / "w.parquet"), validation_writers=2)
    assert made.owners is not None
    # In the order of the file.
    assert made.owners.tolist() == [w for w in WRITERS[:30] if w in made.owners]  # type: ignore[union-attr]
    clients, test = np.isin(WRITERS, made.owners), WRITERS >= 100
    assert len(np.unique(made.owners)) == 6 - 2
    for part, rows in (
        (made.train, clients),
        (made.validation, ~clients & ~test),
        (made.test, test),
    ):
        assert torch.equal(part.inputs, torch.from_numpy(IMAGES[rows]).reshape(-1, 1, 28, 28))
        assert torch.equal(made.prepare()(part.inputs), part.inputs.float() / 255)
        assert part.targets.tolist() == LABELS[rows].tolist()
    assert (made.outputs, made.input_shape) == (10, (1, 28, 28))


def test_the_natural_partition_gives_each_writer_one_client(tmp_path: Path) -> None:
    made = task(written(tmp_path / "w.parquet"), validation_writers=1)
    assert made.owners is not None
    clients = PARTITIONS.build(PARTITIONS.component("natural"))(made, 5, 0)
    assert [len(np.unique(made.owners[rows])) for rows in clients] == [1] * 5  # type: ignore[call-overload]
    assert sorted(np.concatenate(clients)) == list(range(25))


def test_who_validates_is_one_draw_and_more_writers_contain_fewer(tmp_path: Path) -> None:
    path = written(tmp_path / "w.parquet")
    owners = [set(np.unique(task(path, validation_writers=n).owners)) for n in (1, 2, 2, 4)]  # type: ignore[arg-type]
    assert owners[0] > owners[1] > owners[3]
    assert owners[1] == owners[2]


def test_bad_files_get_one_line_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    assert refusal(path) == f"task.path: {path}: there is no such file or folder"
    path.write_bytes(b"PAR1 and nothing more")
    assert f"{path} cannot be read as Parquet" in refusal(path)
    content = written(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert f"{path} cannot be read as Parquet" in refusal(path)
    assert "no column 'writer_id'" in refusal(
        written(path, writer_id=None, writer=pa.array(WRITERS))
    )
    empty = pa.array([None if row == 7 else int(label) for row, label in enumerate(LABELS)])
    assert refusal(written(path, label=empty)).startswith(
        f"{path}: row 7 has nothing in column 'label'; fill it"
    )
    high = np.where(np.arange(ROWS) == 5, 10, LABELS)
    assert "row 5 has 10 in column 'label', expected 0 to 9" in refusal(
        written(path, label=pa.array(high))
    )
    words = pa.array([str(label) for label in LABELS])
    assert "expected whole numbers in column 'label', got string" in refusal(
        written(path, label=words)
    )
    short = pa.array(
        [image.tobytes()[: 783 if row == 3 else 784] for row, image in enumerate(IMAGES)],
        pa.binary(),
    )
    assert "row 3 has an image of 783 bytes in column 'image', expected 784" in refusal(
        written(path, image=short)
    )
    assert "expected bytes in column 'image', got int64" in refusal(
        written(path, image=pa.array(LABELS))
    )
    split = pa.array(["train"] * 29 + ["valid"] + ["test"] * 10)
    assert "row 29 has 'valid' in column 'split', expected train or test" in refusal(
        written(path, split=split)
    )
    assert "no row is test" in refusal(written(path, split=pa.array(["train"] * ROWS)))


def test_writers_in_both_parts_and_too_many_to_validate_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "w.parquet", writer_id=pa.array(np.where(WRITERS == 101, 3, WRITERS)))
    assert "writer 3 is in both train and test (1 such writers)" in refusal(path)
    message = refusal(written(tmp_path / "w.parquet"), validation_writers=6)
    assert "expected fewer than the 6 training writers" in message


@needs_file
def test_the_real_file() -> None:
    made = task()
    assert made.owners is not None
    sizes = np.unique(made.owners, return_counts=True)[1]
    assert len(sizes) == 500
    assert (len(made.test), len(made.train) + len(made.validation)) == (10_000, 60_000)
    assert (sizes.min(), sizes.max()) == (19, 131)
    counts = torch.bincount(torch.cat([made.train.targets, made.validation.targets]))
    # MNIST's training set.
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    pixels = made.prepare()(torch.cat([made.train.inputs, made.validation.inputs]))
    # MNIST's published moments.
    assert pixels.double().mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert pixels.double().std().item() == pytest.approx(0.3081, abs=5e-5)
