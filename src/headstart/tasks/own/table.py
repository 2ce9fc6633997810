"""The user's own table: a Parquet, CSV or JSON-lines file, of which columns are client, input, label and part.

A kind of input is one function of the table: `numbers`, `images`, `bag_of_words`, `next_tokens`.
"""

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn

from headstart.errors import HeadstartError
from headstart.files import digest, located
from headstart.lookup import cached
from headstart.registry import AddedLater
from headstart.tasks.base import TASKS, Examples, Pixels, Task
from headstart.tasks.data_files import together
from headstart.tasks.next_token import TokensPart
from headstart.tasks.own.columns import images, numbers, texts
from headstart.tasks.own.names import Alike, names, refuse_quantity
from headstart.tasks.own.parts import Mask, parts_of, with_known_labels
from headstart.tasks.own.sources import Table, column_names, read
from headstart.tasks.own.text import bag_of_words, next_tokens

Share = Annotated[float, Field(ge=0, lt=1)]
Side = Annotated[int, Field(ge=1)]


@TASKS.register("table", source="the user's own file")
@cached(maxsize=2)
def table(
    *,
    path: Annotated[str, Field(description="a file .parquet, .csv or .jsonl (an object a line), or a folder of such")],
    label: Annotated[
        str | None, Field(description="the column of classes: text, whole numbers, true, false; text may do without")
    ] = None,
    client: Annotated[str | None, Field(description="the column that says whose a row is")] = None,
    image: Annotated[str | None, Field(description="the column of images: encoded bytes, or paths from the file")] = (
        None
    ),
    features: Annotated[
        tuple[str, ...], Field(description="columns of numbers; without these, image and text: all other columns")
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
    text: Annotated[
        str | None,
        AddedLater(),
        Field(min_length=1, description="the column of text: bags of words with a label, next tokens without one"),
    ] = None,
    words: Annotated[
        int, AddedLater(), Field(ge=1, description="of bags: the most frequent ones of the training rows that count")
    ] = 1000,
    tokens: Annotated[TokensPart, AddedLater()] = "words",
    length: Annotated[int, AddedLater(), Field(ge=1, description="tokens of a row, without a label")] = 64,
    alike: Annotated[
        Alike,
        AddedLater(),
        Field(description="labels or clients that differ by case, blanks or the like: refused, one, or apart"),
    ] = "error",
    codes: Annotated[bool, AddedLater(), Field(description="many numbers as labels are codes, no quantity")] = False,
) -> Task:
    """Your own Parquet, CSV or JSON-lines file, with a mapping of its columns.

    Classes are the labels of all rows in their order (numbers by size, text by characters). Inputs are features [F] or
    pixels / 255 [channels, height, width], minus `mean`, divided by `deviation`; without these, by the moments of the
    training rows (a feature that never changes is only shifted); a pre-trained image network expects those that it was
    trained with. Of `text`, inputs are the shares of the most frequent words [V], or without a `label` rows of tokens
    of which each next one is predicted. Without a `split` column, test and validation clients are drawn, or rows where
    there is no `client` or split_by is row; the clients of the partition `natural` are those with training rows.

    Raises:
        HeadstartError: one line with file, row and column, for whatever is missing, empty, of mixed types or damaged.
    """
    kinds = {"image": image, "features": features, "text": text}
    if len(given := [name for name, value in kinds.items() if value]) > 1:
        raise HeadstartError(f"table: expected image, features or text, got both {given[0]} and {given[1]}")
    if label is None and text is None:
        raise HeadstartError("table.label: expected the column of classes, got nothing; only text may have none")
    if text is not None and (mean or deviation):
        raise HeadstartError("table: expected mean and deviation with numbers or images, got them with text")
    if len(size) not in (0, 2):
        raise HeadstartError(f"table.size: expected a height and a width, got {len(size)} numbers")
    file = located(path)
    taken = [name for name in (label, client, split) if name is not None]
    one = image or text
    chosen = (one,) if one else features or tuple(name for name in column_names(file) if name not in taken)
    if not chosen:
        raise HeadstartError(f"{file}: no column is left for inputs beside {', '.join(map(repr, taken))}")
    if twice := [name for i, name in enumerate((*taken, *chosen)) if name in (*taken, *chosen)[:i]]:
        raise HeadstartError(f"table: expected a use for each column, got {twice[0]!r} in two")
    cells = read(file, (*taken, *chosen))
    if not len(cells):
        raise HeadstartError(f"{file}: expected at least one row, got none")
    content = digest(*cells.files)
    owners, clients = names(cells, client, alike) if client else (None, ())
    parts = parts_of(cells, split, owners, split_by, test, validation, seed)
    if label is None:
        documents = texts(cells, chosen[0])
        return next_tokens(documents, owners, clients, parts, tokens, length, content)
    labels, classes = names(cells, label, alike)
    if not codes:
        refuse_quantity(cells, label, classes)
    parts = with_known_labels(cells, parts, labels, classes, label, unseen)

    prepare: Any = nn.Identity
    vocabulary = None
    inputs: npt.NDArray[Any]
    if image:
        inputs, read_by_path = images(cells, image, size, "RGB" if colour else "L")
        content = together(content, read_by_path)
        moments = _moments(inputs, parts["train"], mean, deviation)
        prepare = partial(Pixels, *(values.astype(np.float32).tolist() for values in moments))
    elif text:
        inputs, vocabulary = bag_of_words(texts(cells, text), parts["train"], words)
    else:
        inputs = _features(cells, chosen, parts["train"], mean, deviation)

    def part(name: str) -> Examples:
        rows = np.flatnonzero(parts[name])
        return Examples(torch.from_numpy(inputs[rows]), torch.from_numpy(labels[rows]))

    return Task(
        "table",
        part("train"),
        part("validation"),
        part("test"),
        len(classes),
        owners=owners[parts["train"]] if owners is not None else None,
        classes=classes,
        tokens=vocabulary,
        content=content,
        prepare=prepare,
    )


def _features(
    cells: Table, columns: tuple[str, ...], train: Mask, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> npt.NDArray[np.float32]:
    """Columns of numbers [N, F], shifted and scaled in float64: times in seconds differ where float32 is cut."""
    values = np.stack([numbers(cells, name) for name in columns], axis=1)
    shift, scale = _moments(values, train, mean, deviation)
    with np.errstate(over="ignore"):
        scaled = ((values - shift) / scale).astype(np.float32)
    if not np.isfinite(scaled).all():
        row, feature = np.argwhere(~np.isfinite(scaled))[0]
        raise HeadstartError(
            f"{cells.at(row)} is beyond float32 in column {columns[feature]!r}, less {shift[feature]:g} and divided by "
            f"{scale[feature]:g}; leave the row out, or give mean and deviation"
        )
    return scaled


def _moments(
    inputs: npt.NDArray[Any], train: Mask, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What is subtracted and divided by, of each feature or channel of images [F]."""
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
        low, high = (np.min([b.min(axes) for b in blocks], axis=0), np.max([b.max(axes) for b in blocks], axis=0))
        first = np.sum([block.sum(axes) for block in blocks], axis=0) / each
        first = np.where(low == high, low, first)  # a mean of equal numbers may be off by rounding
        shape = (width, *[1] * (inputs.ndim - 2))
        second = np.sum([((block - first.reshape(shape)) ** 2).sum(axes) for block in blocks], axis=0) / each
    shift = np.broadcast_to(mean, width) if mean else first
    scale = np.broadcast_to(deviation, width) if deviation else np.where(second > 0, np.sqrt(second), 1.0)
    return shift, scale
