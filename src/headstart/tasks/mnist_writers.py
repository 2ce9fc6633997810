"""MNIST by the people who wrote it: 28x28 digits, each client one writer.

MNIST (LeCun, Bottou, Bengio & Haffner, 1998; CC BY-SA 3.0) was cut from NIST Special Database 19,
as FEMNIST was. QMNIST (Yadav & Bottou, arXiv 1905.10498, BSD) found the writer of every image
again: 539 wrote the 60,000 training images (19 to 131 each), 297 others the 10,000 test images. The
file has the columns writer_id, split (train or test), label and image (784 bytes, ink white on
black); `shared/data/SOURCES.md` tells how ours was put together.
"""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from headstart import rng
from headstart.errors import HeadstartError
from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.tasks.base import TASKS, Examples, Pixels, Rows, Task
from headstart.tasks.sources.labels import train_and_test, whole_numbers
from headstart.tasks.sources.parquet import parquet
from headstart.tasks.sources.pixels import grey_images

PIXELS, DIGITS = 28, 10


@TASKS.register(
    "mnist-writers", source="MNIST with the writers of QMNIST, Yadav & Bottou, arXiv 1905.10498"
)
@cached(maxsize=2)
def mnist_writers(
    *,
    path: Annotated[str, Field(description="a Parquet file: writer_id, split, label, image")] = (
        "$HEADSTART_DATA/mnist_by_writer.parquet"
    ),
    validation_writers: Annotated[
        int,
        Field(
            ge=1,
            description="writers held out of the training split, to tune on; the others are the "
            "clients",
        ),
    ] = 39,
) -> Task:
    """Handwritten digits of 28x28 pixels by 500 writers, others to validate (39) and to test (297).

    Which writers validate is one fixed draw. No writer is in two splits, so accuracy is that on
    people whom no client has seen. The partition `natural` gives every writer's images to one
    client.

    Raises:
        HeadstartError: the file is missing or damaged, its training and test split share a writer,
            or no training writer is left.
    """
    file = located(path, "task.path")
    table = parquet(file, ("writer_id", "split", "label", "image"))
    writers, labels = (
        whole_numbers(table, "writer_id", file),
        whole_numbers(table, "label", file, below=DIGITS),
    )
    images = grey_images(table, "image", file, PIXELS, PIXELS)
    train, test = train_and_test(table, "split", file)
    if len(both := np.intersect1d(writers[train], writers[test])):
        raise HeadstartError(
            f"{file}: writer {both[0]} is in both train and test ({len(both)} such writers)"
        )
    known = np.unique(writers[train])
    if validation_writers >= len(known):
        raise HeadstartError(
            f"mnist-writers.validation_writers: expected fewer than the {len(known)} training "
            f"writers of {file}, got {validation_writers}"
        )
    held_out = rng.generator(0, "mnist-writers split").permutation(known)[:validation_writers]
    validates = np.isin(writers[train], held_out)

    def examples(rows: Rows) -> Examples:
        return Examples(torch.from_numpy(images[rows]), torch.from_numpy(labels[rows]))

    clients = train[~validates]
    owners = writers[clients]
    splits = examples(clients), examples(train[validates]), examples(test)
    return Task(
        "mnist-writers",
        *splits,
        outputs=DIGITS,
        owners=owners,
        validation_owners=writers[train[validates]],
        test_owners=writers[test],
        classes=tuple(map(str, range(DIGITS))),
        content=digest(file),
        prepare=Pixels,
    )
