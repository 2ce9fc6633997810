"""Handwritten letters, 28x28 pixels: the larger, neighbouring task to pre-train on before digits.

EMNIST Letters (Cohen, Afshar, Tapson & van Schaik, arXiv 1702.05373, section II; NIST, US
government data): 145,600 images of 26 classes, upper and lower case merged, balanced. The file has
the columns split (train or test), label and image (784 bytes, ink white on black, upright like
MNIST's). It names no writers.
"""

from typing import Annotated

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

PIXELS, LETTERS = 28, 26

BOTH_CASES = tuple(letter.upper() + letter for letter in "abcdefghijklmnopqrstuvwxyz")
"""The names of the labels: a letter is the same class in upper and in lower case."""


@TASKS.register("emnist-letters", source="EMNIST Letters, Cohen et al., arXiv 1702.05373")
@cached(maxsize=1)
def emnist_letters(
    *,
    path: Annotated[str, Field(description="a Parquet file: split, label, image")] = (
        "$HEADSTART_DATA/emnist_letters.parquet"
    ),
    validation: Annotated[
        int, Field(ge=0, description="rows held out of the training split, to tune on")
    ] = 5200,
) -> Task:
    """Handwritten letters of 28x28 pixels, 26 classes: 119,600 to train on, 20,800 to test.

    Which rows validate is one fixed draw.

    Raises:
        HeadstartError: the file is missing or damaged, or no training row is left.
    """
    file = located(path, "task.path")
    table = parquet(file, ("split", "label", "image"))
    labels, images = (
        whole_numbers(table, "label", file, below=LETTERS),
        grey_images(table, "image", file, PIXELS, PIXELS),
    )
    train, test = train_and_test(table, "split", file)
    if validation >= len(train):
        raise HeadstartError(
            f"emnist-letters.validation: expected fewer than the {len(train)} training rows of "
            f"{file}, got {validation}"
        )
    order = rng.generator(0, "emnist-letters split").permutation(train)

    def examples(rows: Rows) -> Examples:
        rows.sort()
        return Examples(torch.from_numpy(images[rows]), torch.from_numpy(labels[rows]))

    splits = examples(order[validation:]), examples(order[:validation]), examples(test)
    return Task(
        "emnist-letters",
        *splits,
        outputs=LETTERS,
        classes=BOTH_CASES,
        content=digest(file),
        prepare=Pixels,
    )
