"""CIFAR-10: 60,000 colour photographs of 32x32 pixels in ten classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, section 3 (published for
research without a formal licence; cite it). Read from two Parquet files of encoded images, as in
`shared/data` (columns image and label, lossless WebP) or as the hub publishes them (columns img, a
struct of bytes and path, and label); or from the folder `cifar-10-batches-bin` of the binary
version, for both `train` and `test`: a byte of label and 3 x 1024 of pixels a row.

The rows of a file need not be in random order: in `shared/data/cifar10_test.parquet` those after
the first 1,000 are sorted by class, and 9,000 of the 10,000 come from JPEG copies. No prefix of it
is a sample; all of it is used here.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from headstart import files, rng
from headstart.errors import HeadstartError
from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.tasks.base import TASKS, Examples, Pixels, Rows, Task
from headstart.tasks.sources.labels import whole_numbers
from headstart.tasks.sources.parquet import parquet
from headstart.tasks.sources.pixels import encoded_images

PIXELS, CLASSES = 32, 10

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The names of the labels, as in the dataset's `batches.meta.txt`."""
Channels = tuple[float, float, float]
Spread = Annotated[float, Field(gt=0)]


@TASKS.register(
    "cifar10",
    source="Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    presets={"imagenet": {"mean": (0.485, 0.456, 0.406), "deviation": (0.229, 0.224, 0.225)}},
)
@cached(maxsize=1)
def cifar10(
    *,
    train: Annotated[
        str, Field(description="a Parquet file of images and labels, or cifar-10-batches-bin")
    ] = "$HEADSTART_DATA/cifar10_train.parquet",
    test: Annotated[
        str, Field(description="a file like it, or that folder")
    ] = "$HEADSTART_DATA/cifar10_test.parquet",
    image: Annotated[
        str, Field(description="the column of encoded images; img in the hub's files")
    ] = "image",
    validation: Annotated[
        int,
        Field(
            ge=0,
            description="rows held out of the training file, to tune on; 0 to train on all of them",
        ),
    ] = 5000,
    mean: Annotated[Channels, Field(description="of red, green and blue in [0, 1], subtracted")] = (
        0.4914,
        0.4822,
        0.4465,
    ),
    deviation: Annotated[
        tuple[Spread, Spread, Spread], Field(description="of red, green and blue, divided by")
    ] = (
        0.2470,
        0.2435,
        0.2616,
    ),
) -> Task:
    """Photographs of 32x32 pixels in ten classes: 45,000 to train on, 5,000 to validate, 10,000 to
    test.

    A model takes (pixel / 255 - mean) / deviation by channel; the defaults are the moments of the
    training images. A network pre-trained on ImageNet expects ImageNet's, `cifar10@imagenet`. Which
    rows validate is one fixed draw.

    Raises:
        HeadstartError: a file is missing or damaged, an image is not of 32x32 pixels, or no
            training row is left.
    """
    splits = _parts(located(train, "task.train"), located(test, "task.test"), image, validation)
    content = digest(located(train), located(test))
    prepare = partial(Pixels, mean, deviation)
    return Task(
        "cifar10", *splits, outputs=CLASSES, classes=NAMES, content=content, prepare=prepare
    )


@lru_cache(maxsize=1)
def _parts(
    train: Path, test: Path, image: str, validation: int
) -> tuple[Examples, Examples, Examples]:
    """The rows to train on, to validate on and to test on, as bytes: decoded once a process,
    whatever the moments.
    """
    images, labels = _decoded(train, image, "data_batch_*.bin")
    if validation >= len(labels):
        raise HeadstartError(
            f"cifar10.validation: expected fewer than the {len(labels)} rows of {train}, got "
            f"{validation}"
        )
    order = rng.generator(0, "cifar10 split").permutation(len(labels))

    def examples(
        images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], rows: Rows
    ) -> Examples:
        rows = np.sort(rows)
        return Examples(torch.from_numpy(images[rows]), torch.from_numpy(labels[rows]))

    tested = _decoded(test, image, "test_batch.bin")
    return (
        examples(images, labels, order[validation:]),
        examples(images, labels, order[:validation]),
        examples(*tested, np.arange(len(tested[1]))),
    )


def _decoded(
    file: Path, column: str, batches: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images [N, 3, 32, 32] and labels [N] of a file."""
    if file.is_dir():
        return _binary(file, batches)
    table = parquet(file, (column, "label"))
    return encoded_images(table, column, file, PIXELS, PIXELS), whole_numbers(
        table, "label", file, below=CLASSES
    )


def _binary(folder: Path, batches: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The same of the binary version: a row is a label and the pixels of red, green and blue, in
    the order of rows.
    """
    found, width = sorted(folder.glob(batches)), 1 + 3 * PIXELS * PIXELS
    if not found:
        raise HeadstartError(
            f"{folder}: expected {batches} of the binary version of CIFAR-10, found none"
        )
    rows = []
    for path in found:
        with files.explained(path, "read"):
            content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        if not len(content) or len(content) % width:
            raise HeadstartError(
                f"{path}: expected rows of {width} bytes, got {len(content)} bytes"
            )
        rows.append(content.reshape(-1, width))
        if rows[-1][:, 0].max() >= CLASSES:
            row = int((rows[-1][:, 0] >= CLASSES).argmax())
            raise HeadstartError(
                f"{path}: row {row} has the label {rows[-1][row, 0]}, expected 0 to {CLASSES - 1}"
            )
    together = np.concatenate(rows)
    return together[:, 1:].reshape(-1, 3, PIXELS, PIXELS), together[:, 0].astype(np.int64)
