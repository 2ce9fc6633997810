"""The user's own table: a Parquet, CSV or JSON-lines file, of which columns are client, input, label and part.

A kind of input is one function from the table to an array [N, ...] (`_features`, `_images`); text is in other tasks.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from pydantic import Field
from torch import nn

from headstart import rng
from headstart.errors import HeadstartError
from headstart.files import digest, located
from headstart.tasks.base import TASKS, Examples, Pixels, Rows, Task
from headstart.tasks.table_files import classes, column_names, images, numbers, read
from headstart.validation import shown

Share = Annotated[float, Field(ge=0, lt=1)]
Side = Annotated[int, Field(ge=1)]
Mask = npt.NDArray[np.bool_]
PARTS = ("train", "validation", "test")


@TASKS.register("table", source="the user's own file")
@lru_cache(maxsize=2)
def table(
    *,
    path: Annotated[str, Field(description="a file .parquet, .csv or .jsonl (an object a line)")],
    label: Annotated[str, Field(description="the column of classes: text, whole numbers, true and false")],
    client: Annotated[str | None, Field(description="the column that says whose a row is")] = None,
    image: Annotated[str | None, Field(description="the column of images: encoded bytes, or paths from the file")] = (
        None
    ),
    features: Annotated[
        tuple[str, ...], Field(description="columns of numbers; without these and image: all other columns")
    ] = (),
    split: Annotated[str | None, Field(description="the column of train, validation and test")] = None,
    split_by: Annotated[
        Literal["client", "row"] | None, Field(description="what is drawn where no column says; by default clients")
    ] = None,
    test: Annotated[float, Field(gt=0, lt=1, description="share drawn to test on, without a split column")] = 0.2,
    validation: Annotated[Share, Field(description="share drawn to tune on, where no column says it")] = 0.1,
    seed: Annotated[int, Field(ge=0, description="of what is drawn")] = 0,
    unseen: Annotated[
        Literal["error", "keep", "drop"], Field(description="rows with a label that no training row has")
    ] = "error",
    size: Annotated[tuple[Side, ...], Field(description="height and width to scale images to, if any")] = (),
    colour: Annotated[bool, Field(description="images with three channels, or one")] = True,
    mean: Annotated[
        tuple[float, ...], Field(description="of each feature or channel, subtracted; empty: as found")
    ] = (),
    deviation: Annotated[
        tuple[float, ...], Field(description="of each feature or channel, divided by; empty: as found")
    ] = (),
) -> Task:
    """Your own Parquet, CSV or JSON-lines file, with a mapping of its columns.

    Classes are the labels of all rows in their order (numbers by size, text by characters). Inputs are features [F] or
    pixels / 255 [channels, height, width], minus `mean`, divided by `deviation`; without these, by the moments of the
    training rows (a feature that never changes is only shifted); a pre-trained image network expects those that it was
    trained with. Without a `split` column, test and validation clients are drawn, or rows where there is no `client`
    or split_by is row; the clients of the partition `natural` are those with training rows.

    Raises:
        HeadstartError: one line with file, row and column, for whatever is missing, empty, of mixed types or damaged.
    """
    if image is not None and features:
        raise HeadstartError("table: expected image or features, got both")
    if len(size) not in (0, 2):
        raise HeadstartError(f"table.size: expected a height and a width, got {len(size)} numbers")
    file = located(path)
    taken = [name for name in (label, client, split) if name is not None]
    chosen = (image,) if image else features or tuple(name for name in column_names(file) if name not in taken)
    if not chosen:
        raise HeadstartError(f"{file}: no column is left for inputs beside {', '.join(map(repr, taken))}")
    if twice := [name for i, name in enumerate((*taken, *chosen)) if name in (*taken, *chosen)[:i]]:
        raise HeadstartError(f"table: expected a use for each column, got {twice[0]!r} in two")
    cells = read(file, (*taken, *chosen))
    if not len(cells):
        raise HeadstartError(f"{file}: expected at least one row, got none")
    labels, names = classes(cells, label, file)
    owners = classes(cells, client, file)[0] if client else None
    parts = _parts(cells, split, file, owners, split_by, test, validation, seed)
    parts = _known(parts, labels, unseen, file, label, names)
    inputs = images(cells, image, file, size, "RGB" if colour else "L") if image else _features(cells, chosen, file)
    shift, scale = _moments(inputs, parts["train"], mean, deviation)

    def part(name: str) -> Examples:
        rows = np.flatnonzero(parts[name])
        made = inputs[rows] if image else (inputs[rows].astype(np.float32) - shift) / scale
        return Examples(torch.from_numpy(made), torch.from_numpy(labels[rows]))

    held = owners[parts["train"]] if owners is not None else None
    made = (part("train"), part("validation"), part("test"))
    prepare = partial(Pixels, shift.ravel().tolist(), scale.ravel().tolist()) if image else nn.Identity
    content = digest(file)
    return Task("table", *made, len(names), owners=held, classes=names, content=content, prepare=prepare)


def _features(cells: pa.Table, columns: tuple[str, ...], file: Path) -> npt.NDArray[np.float64]:
    return np.stack([numbers(cells, name, file) for name in columns], axis=1)


def _parts(
    cells: pa.Table,
    column: str | None,
    file: Path,
    owners: Rows | None,
    split_by: Literal["client", "row"] | None,
    test: float,
    validation: float,
    seed: int,
) -> dict[str, Mask]:
    """Which rows [N] are in each part: as a column says, or drawn."""
    if split_by == "client" and owners is None:
        raise HeadstartError("table.split_by: expected a client column where clients are drawn, got none; name it")
    units = owners if owners is not None and split_by != "row" else np.arange(len(cells))
    count = int(units.max()) + 1
    order = rng.generator(seed, "table split").permutation(count)
    if column is None:
        tested = max(1, round(test * count))
        drawn = np.isin(units, order[:tested])
        parts = {"train": ~drawn, "validation": np.zeros_like(drawn), "test": drawn}
    else:
        words = np.asarray(cells[column].to_pylist(), dtype=object)
        wrong = ~np.isin(words, PARTS)
        if wrong.any():
            row = int(wrong.argmax())
            raise HeadstartError(
                f"{file}: row {row} has {shown(words[row])} in column {column!r}, expected train, validation or test"
            )
        tested = 0
        parts = {part: words == part for part in PARTS}
        for part in ("train", "test"):
            if not parts[part].any():
                raise HeadstartError(f"{file}: no row is {part} in column {column!r}")
    if not parts["validation"].any():
        left = order[tested:] if column is None else order[np.isin(order, units[parts["train"]])]
        drawn = parts["train"] & np.isin(units, left[: round(validation * len(left))])
        parts["train"], parts["validation"] = parts["train"] & ~drawn, drawn
    if not parts["train"].any():
        raise HeadstartError(f"{file}: no row is left to train on of {len(cells)}; draw smaller parts to test and tune")
    return parts


def _known(
    parts: dict[str, Mask],
    labels: Rows,
    unseen: Literal["error", "keep", "drop"],
    file: Path,
    column: str,
    names: tuple[str, ...],
) -> dict[str, Mask]:
    new = ~np.isin(labels, labels[parts["train"]])
    if unseen == "drop":
        return {name: mask & ~new for name, mask in parts.items()}
    if new.any() and unseen == "error":
        row = int(new.argmax())
        raise HeadstartError(
            f"{file}: row {row} has {names[labels[row]]!r} in column {column!r}, as no training row has "
            f"({int(new.sum())} such rows); "
            "write unseen='keep' to count them as mistakes, or unseen='drop' to leave them out"
        )
    return parts


def _moments(
    inputs: npt.NDArray[Any], train: Mask, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What is subtracted and divided by, as wide as the features or the channels of images."""
    width, bytes_ = inputs.shape[1], inputs.dtype == np.uint8
    for name, values in (("mean", mean), ("deviation", deviation)):
        if len(values) not in (0, 1, width):
            raise HeadstartError(f"table.{name}: expected one number, or {width}, got {len(values)}")
    if deviation and min(deviation) <= 0:
        raise HeadstartError(f"table.deviation: expected numbers > 0, got {min(deviation)}")
    first, second = np.zeros(width), np.zeros(width)
    if not mean or not deviation:
        rows = np.flatnonzero(train)
        axes = (0, *range(2, inputs.ndim))
        blocks = [inputs[chunk] / (255 if bytes_ else 1) for chunk in np.array_split(rows, len(rows) // 4096 + 1)]
        each = len(rows) * inputs[0, 0].size
        first = np.sum([block.sum(axes) for block in blocks], axis=0) / each
        shape = (width, *[1] * (inputs.ndim - 2))
        second = np.sum([((block - first.reshape(shape)) ** 2).sum(axes) for block in blocks], axis=0) / each
    shift = np.broadcast_to(mean, width) if mean else first
    scale = np.broadcast_to(deviation, width) if deviation else np.where(second > 0, np.sqrt(second), 1.0)
    shape = (width, *[1] * (inputs.ndim - 2))
    return shift.astype(np.float32).reshape(shape), scale.astype(np.float32).reshape(shape)
