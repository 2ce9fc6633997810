"""Real handwritten digits: 1,797 images of 8x8 pixels that come with scikit-learn.

The test split of "Optical Recognition of Handwritten Digits" (Alpaydin & Kaynak, UCI, 1998,
https://doi.org/10.24432/C50P49): each image is a size-normalised 32x32 bitmap of which the pixels
that are on are counted in 4x4 blocks, 0 to 16. Here it is split once into 1,200 training, 197
validation and 400 test rows.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from headstart import rng
from headstart.tasks.base import TASKS, Examples, Task

TRAIN, VALIDATION = 1200, 197


@TASKS.register(
    "digits", source="Alpaydin & Kaynak, UCI Optical Recognition of Handwritten Digits, 1998"
)
@lru_cache(maxsize=1)
def digits() -> Task:
    """Handwritten digits of 8x8 pixels, 1,200 to train on: small enough for a study in minutes, on
    one core.
    """
    images, labels = _images_and_labels()
    inputs = torch.from_numpy(images.astype(np.float32)).reshape(-1, 1, 8, 8) / 16
    targets = torch.from_numpy(labels.astype(np.int64))
    order = torch.from_numpy(_evenly_mixed(labels, rng.generator(0, "digits split")))
    splits = (order[:TRAIN], order[TRAIN : TRAIN + VALIDATION], order[TRAIN + VALIDATION :])
    train, validation, test = (Examples(inputs[rows], targets[rows]) for rows in splits)
    return Task("digits", train, validation, test, outputs=10, classes=tuple("0123456789"))


def _images_and_labels() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Pixels [1797, 64] and digits [1797], read past the package: importing it takes 100 MB."""
    package = find_spec("sklearn")
    if package is not None and package.origin is not None:
        file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
        if file.exists():
            rows = np.loadtxt(file, delimiter=",")
            return rows[:, :-1], rows[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images, labels


def _evenly_mixed(
    labels: npt.NDArray[np.int64], generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The rows in an order in which every stretch holds the classes in nearly their shares of the
    whole.

    The j-th of a class's n rows, in random order, stands at (j + 1/2) / n. A stretch of share s
    then holds s * n of each class, to within one.
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.lexsort((generator.permutation(len(labels)), place))
