"""FEMNIST: handwritten digits and letters, 28x28 pixels, each client one writer.

LEAF (Caldas et al., arXiv 1812.01097, BSD 2-clause) made it from NIST Special Database 19: 62
classes, 0-9 digits, 10-35 upper case, 36-61 lower case; ink is dark (0) on white (1), images
upright. Three forms are read:

- LEAF's own folder, `train/*.json` and `test/*.json`, each with `users` and `user_data: {user: {x,
  y}}`;
- the hub's `flwrlabs/femnist`, Parquet files with image (encoded), writer_id, hsf_id and character,
  all one split;
- a Parquet file with user_id, split, label and image (784 bytes), such as the sample in
  `shared/data`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pydantic import Field
from torch import nn

from headstart import files, rng
from headstart.errors import HeadstartError, reason
from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.parts.validation import shown
from headstart.tasks.base import TASKS, Examples, Pixels, Task
from headstart.tasks.sources.labels import train_and_test, whole_numbers
from headstart.tasks.sources.objects import parsed
from headstart.tasks.sources.parquet import parquet
from headstart.tasks.sources.pixels import encoded_images, grey_images

PIXELS = 28
CLASSES = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Written:
    """Images [N, 1, 28, 28] in bytes or in [0, 1], labels [N], the name of each writer [N], and
    whether it tests [N].

    `tests` is None where the source has one split.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]
    writers: npt.NDArray[np.str_]
    tests: npt.NDArray[np.bool_] | None


@TASKS.register("femnist", source="LEAF, Caldas et al., arXiv 1812.01097")
@cached(maxsize=1)
def femnist(
    *,
    path: Annotated[
        str, Field(description="LEAF's folder of train and test, or Parquet: a file or a folder")
    ] = "$HEADSTART_DATA/femnist",
    test: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="share of writers drawn to test on, where the source has one split",
        ),
    ] = 0.1,
    validation: Annotated[
        Share, Field(description="share of the training writers drawn to tune on")
    ] = 0.1,
    writers: Annotated[
        int | None,
        Field(ge=2, description="so many writers of the training split, drawn; by default all"),
    ] = None,
) -> Task:
    """Handwritten digits and letters of 28x28 pixels, 62 classes, clients are writers (partition
    `natural`).

    A model takes pixels in [0, 1] as in LEAF: dark ink on white. Which writers are drawn is fixed.
    Where the source has one split, or was split by writer, no writer is in two splits, and accuracy
    is that on people whom no client has seen. LEAF's `-t sample` divides each writer's images
    instead (the sample in `shared/data` is such): train and test are then kept as they are, and
    accuracy is that on the clients' own writers; validation writers are still no clients. All of
    FEMNIST takes 0.65 GB.

    Raises:
        HeadstartError: files are missing or damaged, or no writer is left to train on.
    """
    file = located(path)
    read = _read(file)
    draw = rng.generator(0, "femnist split")
    tests = read.tests
    if tests is None:
        known = np.unique(read.writers)
        tests = np.isin(read.writers, draw.permutation(known)[: max(1, round(test * len(known)))])
    known = draw.permutation(np.unique(read.writers[~tests]))[:writers]
    if writers is not None and len(known) < writers:
        raise HeadstartError(
            f"femnist.writers: expected at most the {len(known)} training writers, got {writers}"
        )
    held_out = known[: round(validation * len(known))]
    validates = ~tests & np.isin(read.writers, held_out)
    trains = ~tests & np.isin(read.writers, known[len(held_out) :])
    if not trains.any() or not tests.any():
        raise HeadstartError(
            f"{file}: expected writers to train and to test on, got {len(known)} to train on"
        )

    def examples(mask: npt.NDArray[np.bool_]) -> Examples:
        return Examples(torch.from_numpy(read.images[mask]), torch.from_numpy(read.labels[mask]))

    numbers = np.unique(read.writers, return_inverse=True)[1]
    splits = (examples(trains), examples(validates), examples(tests))
    content, prepare = digest(file), Pixels if read.images.dtype == np.uint8 else nn.Identity
    return Task(
        "femnist",
        *splits,
        len(CLASSES),
        owners=numbers[trains],
        validation_owners=numbers[validates],
        test_owners=numbers[tests],
        classes=CLASSES,
        content=content,
        prepare=prepare,
    )


def _read(path: Path) -> Written:
    if path.is_file():
        return _parquet_files([path])
    if (path / "train").is_dir():
        return _leaf(path)
    if not path.exists():
        raise HeadstartError(
            f"{path}: no such file or folder; say where FEMNIST lies: femnist(path='...')"
        )
    found = sorted(path.glob("*.parquet")) or sorted(path.glob("data/*.parquet"))
    if not found:
        raise HeadstartError(
            f"{path}: expected LEAF's folders train and test with .json files, or .parquet "
            "files; found neither"
        )
    return _parquet_files(found)


def _parquet_files(paths: list[Path]) -> Written:
    parts = [_parquet(path) for path in paths]
    tests = [part.tests for part in parts if part.tests is not None]
    return Written(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.writers for part in parts]),
        np.concatenate(tests) if len(tests) == len(parts) else None,
    )


def _parquet(path: Path) -> Written:
    try:
        with files.explained(path, "read"):
            hub = "writer_id" in pq.read_schema(path).names
    except pa.ArrowException as error:
        raise HeadstartError(f"{path} cannot be read as Parquet: {reason(error)}") from error
    writer, label = ("writer_id", "character") if hub else ("user_id", "label")
    table = parquet(path, ("image", writer, label) if hub else ("image", writer, label, "split"))
    labels = whole_numbers(table, label, path, below=len(CLASSES))
    writers = np.asarray(table[writer].to_pylist(), dtype=np.str_)
    if hub:
        return Written(
            encoded_images(table, "image", path, PIXELS, PIXELS, mode="L"), labels, writers, None
        )
    tests = np.zeros(len(labels), dtype=np.bool_)
    tests[train_and_test(table, "split", path)[1]] = True
    return Written(grey_images(table, "image", path, PIXELS, PIXELS), labels, writers, tests)


def _leaf(folder: Path) -> Written:
    images, labels, writers, tests = [], [], [], []
    for split in ("train", "test"):
        found = sorted((folder / split).glob("*.json"))
        if not found:
            raise HeadstartError(f"{folder / split}: expected LEAF's .json files, found none")
        for path in found:
            for user, x, y in _users(path):
                images.append(x)
                labels.append(y)
                writers += [user] * len(y)
                tests += [split == "test"] * len(y)
    if not writers:
        raise HeadstartError(f"{folder}: expected at least one image, got none")
    return Written(
        _as_bytes(np.concatenate(images)),
        np.concatenate(labels),
        np.asarray(writers),
        np.asarray(tests),
    )


def _as_bytes(images: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Bytes, where all are bytes / 255 as LEAF writes them; else the numbers as they are."""
    whole = np.rint(255 * images).astype(np.uint8)
    return whole if np.array_equal(whole / np.float32(255), images) else images


def _users(path: Path) -> list[tuple[str, npt.NDArray[np.float32], npt.NDArray[np.int64]]]:
    """Writer, images [n, 1, 28, 28] and labels [n] of each user with samples in one of LEAF's
    files.
    """
    try:
        with files.explained(path, "read"):
            text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HeadstartError(f"{path} cannot be read as JSON: {error}") from error
    content = parsed(text, str(path))
    if not isinstance(content, dict):
        raise HeadstartError(
            f"{path}: expected an object with LEAF's keys users and user_data, got {shown(content)}"
        )
    for key, kind, expected in (("users", list, "a list"), ("user_data", dict, "an object")):
        if not isinstance(content.get(key), kind):
            got = shown(content[key]) if key in content else "nothing"
            raise HeadstartError(f"{path}: expected {expected} under LEAF's key {key}, got {got}")
    users, data = content["users"], content["user_data"]
    made = []
    for user in users:
        samples = data.get(user) if isinstance(user, str) else None
        if not isinstance(samples, dict) or not {"x", "y"} <= samples.keys():
            raise HeadstartError(
                f"{path}: expected x and y of user {user!r} in user_data, got {shown(samples)}"
            )
        if samples["x"] != [] or samples["y"] != []:
            made.append((user, *_samples(samples["x"], samples["y"], f"{path}: user {user!r}")))
    return made


def _samples(x: Any, y: Any, place: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    try:
        inputs, labels = np.asarray(x, dtype=np.float32), np.asarray(y)
    except (ValueError, TypeError, OverflowError):
        inputs, labels = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)
    if (
        labels.ndim != 1
        or labels.dtype.kind not in "iu"
        or ((labels < 0) | (labels >= len(CLASSES))).any()
    ):
        raise HeadstartError(
            f"{place}: expected y, a list of whole numbers 0 to {len(CLASSES) - 1}"
        )
    if inputs.shape != (len(labels), PIXELS * PIXELS) or not ((inputs >= 0) & (inputs <= 1)).all():
        raise HeadstartError(
            f"{place}: expected as many x as y, each {PIXELS * PIXELS} numbers in [0, 1]"
        )
    return inputs.reshape(-1, 1, PIXELS, PIXELS), labels.astype(np.int64)
