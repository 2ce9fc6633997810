"""The user's own table: files of rows, of which columns are client, input, label and split.

A kind of input is one function of the table: `features`, `images`, `bag_of_words`, `next_tokens`.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import nn

from headstart import files
from headstart.errors import HeadstartError, OutOfMemoryError
from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.parts.parameters import AddedLater
from headstart.parts.written import PartText
from headstart.tasks.base import TASKS, Examples, Moments, Pixels, Rows, Task
from headstart.tasks.own.features import (
    Asked,
    Gaps,
    Learned,
    Standard,
    features_of,
    moments,
    names_of,
)
from headstart.tasks.own.images import image_shape, images
from headstart.tasks.own.splits import only_learned, split_by_place, splits_of, with_known_labels
from headstart.tasks.own.text import bag_of_words, known_of, next_tokens
from headstart.tasks.own.uses import refuse_idle, refuse_second_use
from headstart.tasks.sources.columns import like_gaps, texts
from headstart.tasks.sources.names import Alike, names, refuse_quantity
from headstart.tasks.sources.parquet import SMALLER
from headstart.tasks.sources.tables import header, read
from headstart.tasks.text.next_token import TokensPart

Share = Annotated[float, Field(ge=0, lt=1)]
Side = Annotated[int, Field(ge=1)]

WORDS, LENGTH = 1000, 64
"""The words of a bag and the tokens of a row, where nothing says otherwise."""


@dataclass(frozen=True, repr=False)
class TableTask(Task):
    """A table, with what its features have learned, for another to be like it."""

    learned: Learned | None = None

    @property
    def moments(self) -> Moments:
        """By what its features were shifted and scaled, or its pixels are."""
        return self.learned.moments if self.features and self.learned else super().moments


@TASKS.register("table", source="the user's own file")
@cached(maxsize=4)
def table(
    *,
    path: Annotated[
        str,
        Field(
            description="a file .parquet, .csv, .jsonl (an object a line) or .json (LEAF's too), "
            "or a folder of such"
        ),
    ],
    label: Annotated[
        str | None,
        Field(
            description="the column of classes: text, whole numbers, true, false; text may do "
            "without"
        ),
    ] = None,
    client: Annotated[
        str | None,
        Field(
            description="the column that says whose a row is, or '(file)' or '(folder)': the "
            "name of it"
        ),
    ] = None,
    image: Annotated[
        str | None, Field(description="the column of images: encoded bytes, or paths from the file")
    ] = None,
    features: Annotated[
        tuple[str, ...],
        Field(
            description="columns of numbers or lists of numbers; without these, image and text: "
            "all other columns"
        ),
    ] = (),
    split: Annotated[
        str | None,
        Field(description="the column of train, validation and test, or '(file)' or '(folder)'"),
    ] = None,
    split_by: Annotated[
        Literal["client", "row"] | None,
        Field(description="what is drawn where no column says; by default clients"),
    ] = None,
    test: Annotated[
        float, Field(gt=0, lt=1, description="share drawn to test on, without a split column")
    ] = 0.2,
    validation: Annotated[
        Share, Field(description="share of the others to tune on, where no column says it")
    ] = 0.1,
    seed: Annotated[int, Field(ge=0, description="of what is drawn")] = 0,
    unseen: Annotated[
        Literal["error", "keep", "drop"],
        Field(description="rows with a label that no training row has"),
    ] = "error",
    size: Annotated[
        tuple[Side, ...], Field(description="height and width to scale images to, if any")
    ] = (),
    colour: Annotated[bool, Field(description="images with three channels, or one")] = True,
    mean: Annotated[
        tuple[float, ...],
        Field(description="of each feature or channel, subtracted; empty: as found"),
    ] = (),
    deviation: Annotated[
        tuple[float, ...],
        Field(description="of each feature or channel, divided by; empty: as found"),
    ] = (),
    text: Annotated[
        str | None,
        AddedLater(),
        Field(
            min_length=1,
            description="the column of text: bags of words with a label, next tokens without one",
        ),
    ] = None,
    words: Annotated[
        int,
        AddedLater(),
        Field(ge=1, description="of bags: the most frequent ones of the training rows that count"),
    ] = WORDS,
    tokens: Annotated[TokensPart, AddedLater()] = "words",
    length: Annotated[
        int, AddedLater(), Field(ge=1, description="tokens of a row, without a label")
    ] = LENGTH,
    like: Annotated[
        PartText | None,
        AddedLater(),
        Field(
            description="a task whose words, or features and moments, it takes: the study's, for "
            "a proxy of it"
        ),
    ] = None,
    alike: Annotated[
        Alike,
        AddedLater(),
        Field(
            description="names that differ only by case, blanks or the like: an error, one "
            "(join), or apart (keep)"
        ),
    ] = "error",
    codes: Annotated[
        bool, AddedLater(), Field(description="many numbers as labels are codes, no quantity")
    ] = False,
    categories: Annotated[
        tuple[str, ...],
        AddedLater(),
        Field(
            description="columns of words, beside the features: a 0 or 1 for each word that "
            "training rows have"
        ),
    ] = (),
    gaps: Annotated[
        Gaps,
        AddedLater(),
        Field(
            description="empty cells of features: an error, the mean of training rows, or that "
            "and a mark (0 or 1)"
        ),
    ] = "error",
    shape: Annotated[
        tuple[Side, ...],
        AddedLater(),
        Field(description="of the features as one input: channels, height, width"),
    ] = (),
) -> Task:
    """Your own Parquet, CSV or JSON files, with a mapping of their columns.

    Classes are the labels of all rows in their order (numbers by size, text by characters). Inputs
    are features [F] or pixels / 255 [channels, height, width], minus `mean`, divided by
    `deviation`; without these, by the moments of the training rows (a feature that never changes is
    only shifted); a pre-trained image network expects those that it was trained with. Columns that
    only number the rows are no features unless they are named. Of `text`, inputs are the shares of
    the most frequent words [V], or without a `label` rows of tokens of which each next one is
    predicted. Without a `split` column, files or folders called train and test are those splits;
    else test and validation clients are drawn, or rows where there is no `client` or split_by is
    row. The clients of the partition `natural` are those with training rows.

    Raises:
        HeadstartError: one line with file, row and column, for whatever is missing, empty, of mixed
            types or damaged.
    """
    kinds = {"image": image, "features": features, "text": text}
    if len(given := [name for name, value in kinds.items() if value]) > 1:
        raise HeadstartError(
            f"table: expected image, features or text, got both {given[0]} and {given[1]}"
        )
    numbers_only = {"categories": categories, "shape": shape, "gaps": gaps != "error"}
    if (image or text) and (given := [name for name, value in numbers_only.items() if value]):
        raise HeadstartError(
            f"table.{given[0]}: expected it with features, got it with "
            f"{'image' if image else 'text'}"
        )
    of_bags = {"words": words != WORDS}
    of_rows = {"tokens": tokens != "words", "length": length != LENGTH}
    if not (text and label):
        refuse_idle(of_bags, "text and a label")
    if not text or label:
        refuse_idle(of_rows, "text and no label")
    if label is None and text is None:
        raise HeadstartError(
            "table.label: expected the column of classes, got nothing; only text may have none"
        )
    if text is not None and (mean or deviation):
        raise HeadstartError(
            "table: expected mean and deviation with numbers or images, got them with text"
        )
    taken_over = {
        "features": features,
        "categories": categories,
        "shape": shape,
        "mean": mean,
        "deviation": deviation,
    }
    if like is not None and (given := [name for name, value in taken_over.items() if value]):
        raise HeadstartError(
            f"table.{given[0]}: expected it of the task that this one is like, got it beside like"
        )
    if split is None and test + validation >= 1:
        raise HeadstartError(
            f"table: expected test and validation of less than 1 together, got {test:g} and "
            f"{validation:g}"
        )
    if len(size) not in (0, 2):
        raise HeadstartError(f"table.size: expected a height and a width, got {len(size)} numbers")
    file = located(path, "task.path")
    split = split or split_by_place(file, client)
    taken = [name for name in (label, client, split) if name is not None]
    one = image or text
    other = TASKS.build(TASKS.component(like, "table.like")) if like else None
    learned = other.learned if isinstance(other, TableTask) else None
    if other is not None and not one:
        if learned is None:
            raise HeadstartError(f"table.like: expected a table with features, got {like!r}")
        features, categories = learned.columns, tuple(name for name, _ in learned.levels)
    found = header(file)
    no_features = {*taken, *categories, *found.numbering}
    others = [name for name in found.columns if name not in no_features]
    chosen = (one,) if one else features or (() if learned else tuple(others))
    if not chosen and not categories:
        raise HeadstartError(
            f"{file}: no column is left for inputs beside {', '.join(map(repr, taken))}"
        )
    used = (*taken, *chosen, *categories)
    kind = next((name for name, value in kinds.items() if value), "features")
    uses = {"label": [label], "client": [client], "split": [split]}
    refuse_second_use({**uses, kind: chosen, "categories": categories})
    cells = read(file, used, (*chosen, *categories) if gaps != "error" else ())
    if not len(cells):
        raise HeadstartError(f"{file}: expected at least one row, got none")
    content = digest(*cells.files)
    owners, clients = names(cells, client, alike) if client else (None, ())
    splits = splits_of(cells, split, owners, split_by, test, validation, seed)
    known = known_of(other, label is not None) if other and text else None
    if label is None:
        documents = texts(cells, chosen[0])
        task = next_tokens(documents, owners, clients, splits, tokens, length, known, content)
        return replace(task, owners_named=client is not None)
    labels, classes = names(cells, label, alike)
    if not codes:
        refuse_quantity(cells, label, classes)
    splits = with_known_labels(cells, splits, labels, classes, label, unseen)
    if unseen == "drop":
        labels, classes = only_learned(labels, classes, splits["train"])

    prepare: Any = nn.Identity
    vocabulary = None
    notes: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    inputs: npt.NDArray[Any]
    standard = Standard(mean, deviation)
    if image and other:
        channels, *sides = image_shape(other)
        inputs, read_by_path = images(cells, image, tuple(sides), "RGB" if channels == 3 else "L")
        content = files.joint_digest(content, read_by_path, other.content)
        prepare = other.prepare
    elif image:
        inputs, read_by_path = images(cells, image, size, "RGB" if colour else "L")
        content = files.joint_digest(content, read_by_path)
        shift_and_scale = moments(inputs, splits["train"], standard)
        prepare = partial(
            Pixels, *(values.astype(np.float32).tolist() for values in shift_and_scale)
        )
    elif text:
        inputs, vocabulary = bag_of_words(texts(cells, text), splits["train"], words, known)
        content = files.joint_digest(content, vocabulary.content if known else "")
    else:
        asked = Asked(chosen, bool(features), categories, standard, gaps, alike, shape)
        asked = learned.asked(gaps, alike) if learned else asked
        try:
            made = features_of(cells, asked, splits["train"], learned)
        except MemoryError as error:
            raise OutOfMemoryError(
                f"{file}: this machine has not enough memory for {len(cells)} rows; {SMALLER}"
            ) from error
        inputs, called, learned = made.inputs, made.names, made.learned
        content = files.joint_digest(content, other.content if other else "")
        notes = (f"features: {names_of(made.names)}",)
        named = [name for name in found.numbering if name not in used]
        if left_out := [*named, *made.left_out]:
            notes += (f"left out, as they number the rows: {names_of(left_out)}",)
    notes += (*like_gaps("a class", classes), *like_gaps("a client", clients))
    if split and split.startswith("("):
        notes += (f"splits: by the names of {'files' if split == '(file)' else 'folders'}",)

    def examples(name: str) -> Examples:
        rows = np.flatnonzero(splits[name])
        return Examples(torch.from_numpy(inputs[rows]), torch.from_numpy(labels[rows]))

    def owners_of(name: str) -> Rows | None:
        return None if owners is None else owners[splits[name]]

    return TableTask(
        "table",
        examples("train"),
        examples("validation"),
        examples("test"),
        len(classes),
        owners=owners_of("train"),
        test_owners=owners_of("test"),
        validation_owners=owners_of("validation"),
        classes=classes,
        tokens=vocabulary,
        content=content,
        prepare=prepare,
        notes=notes,
        features=called,
        owners_named=client is not None,
        learned=learned,
    )
