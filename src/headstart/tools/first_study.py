"""A first study of a user's own table: a study file with comments, from what its columns
look like.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import files
from headstart.errors import HeadstartError, nearest
from headstart.study.check import check
from headstart.study.data import task_of
from headstart.study.file.yaml_text import in_line
from headstart.study.spec import Study
from headstart.tasks.own.features import names_of
from headstart.tasks.own.images import size_of
from headstart.tasks.sources.columns import DECIMAL_COMMA
from headstart.tasks.sources.names import visible
from headstart.tasks.sources.tables import FILE, read
from headstart.tools.column_guesses import (
    MOST_WORDS,
    Column,
    client_of,
    columns_of,
    label_of,
    side_of,
    spellings,
    split_of,
)

SCALED, MOST_PIXELS = 32, 128
"""Images of more pixels a side, or of several sizes, are scaled to so many: what a small network
learns from soon.
"""

MOST_NAMED = 200
"""So many features are named one by one; of more, the file says that they are all other columns."""


@dataclass(frozen=True)
class FirstStudy:
    """A study file that was written, and what was guessed for it, a line each."""

    path: Path
    guesses: tuple[str, ...]


def write_first_study(
    table: Path, path: Path, label: str | None = None, client: str | None = None
) -> FirstStudy:
    """Write a study file for a table; `label` and `client` name columns that are otherwise guessed.

    Raises:
        HeadstartError: the file is there already, or the table makes no study so.
    """
    if os.path.lexists(path):
        raise HeadstartError(f"{path} is there already; give another name (--out)")
    text, guesses = _text(table, path, label, client)
    files.write(path, text)
    try:
        study = Study.load(path)
        made = task_of(study.task)
        if study.file.tuning and not len(made.validation):
            tuned = "\ntuning: "
            none = "\n# There are no rows to validate on, which this needs: tuning: "
            files.write(path, text.replace(tuned, none))
            study = Study.load(path)
        check(study)
    except HeadstartError as error:
        path.unlink()
        said = "; ".join(guesses)
        raise HeadstartError(f"{error} ({said}); name the columns: --label, --client") from None
    rows = (
        f"{len(made.train)} rows to train on, {len(made.validation)} to validate on, "
        f"{len(made.test)} to test on"
    )
    return FirstStudy(path, (*guesses, rows))


def _text(table: Path, path: Path, label: str | None, client: str | None) -> tuple[str, list[str]]:
    """The study file, and what was guessed for it."""
    columns = columns_of(table)
    classes, why_label = _chosen(columns, label, label_of(columns), "label")
    guessed = client_of(columns, classes.name if classes else None)
    owner, why_client = _chosen(columns, client, guessed, "client")
    split = split_of(columns)
    taken = FILE, *[column.name for column in (classes, owner, split) if column]
    inputs = _inputs(table, [c for c in columns if c.name not in taken], classes is not None)
    if classes is None and "text" not in inputs.keys:
        names = ", ".join(repr(column.name) for column in columns)
        raise HeadstartError(
            f"{table}: no column looks like classes; name one of {names} (--label)"
        )
    lines = [f"    {_pair('path', os.path.relpath(table, path.parent))}"]
    guesses, joined, owners = [], [], 0
    if owner is not None:
        owners, ways = spellings(table, owner)
        joined += _joined(owner, ways)
        lines.append(f"    {_pair('client', owner.name)}  # whose a row is: {owners} of them")
        guesses.append(f"client: {owner.name} ({owners} of them), {why_client}")
    else:
        guesses.append("client: no column looks like one; rows are dealt to clients by a draw")
    if classes is not None:
        kinds, ways = spellings(table, classes)
        joined += _joined(classes, ways)
        lines.append(f"    {_pair('label', classes.name)}  # {kinds} classes")
        guesses.append(f"label: {classes.name} ({kinds} classes), {why_label}")
    for column in inputs.categories:
        joined += _joined(column, spellings(table, column)[1])
    for key, value in inputs.keys.items():
        lines.append(f"    {_pair(key, value)}")
    lines += [f"    # {comment}" for comment in inputs.comments]
    if joined:
        lines.append(f"    alike: join  # taken for one name: {'; '.join(joined)}")
        guesses.append(f"names taken for one: {'; '.join(joined)}")
    if split is not None:
        lines.append(f"    {_pair('split', split.name)}")
    elif owner is not None:
        lines.append(
            "    split_by: row  # a fifth of the rows is tested on; `client` tests on whole clients"
        )
    most = max(column.rows for column in columns)
    clients = owners if owner else max(2, min(50, most // 20))
    dealt = "dirichlet(alpha=0.3)  # few classes each"
    study = _STUDY.format(
        table=" ".join(table.name.split()),
        name=_pair("name", table.stem or "study"),
        task="\n".join(lines),
        model=inputs.model,
        partitions="natural  # each has its own rows" if owner else dealt,
        population="" if owner else f"population: {clients}\n",
        cohort=max(1, min(10, clients // 2)),
        rates=_BAG_RATES if classes is not None and "text" in inputs.keys else _RATES,
    )
    return study, guesses + inputs.guesses


def _joined(column: Column, ways: Sequence[str]) -> list[str]:
    """The names of a column that are taken for one, in words; nothing where there are none."""
    return [f"{visible(column.name)}: {names_of(ways)}"] if ways else []


def _chosen(
    columns: Sequence[Column], asked: str | None, guessed: tuple[Column, str] | None, what: str
) -> tuple[Column | None, str]:
    if asked is None:
        return guessed or (None, "")
    for column in columns:
        if column.name == asked:
            return column, "as you said"
    names = [column.name for column in columns]
    raise HeadstartError(f"--{what}: no column {asked!r}{nearest(asked, names)}")


@dataclass(frozen=True)
class InputColumns:
    """The keys of the table that name its inputs, a model for them, and what is said of both; with
    `comments` for the study file.
    """

    keys: dict[str, Any]
    model: str
    guesses: list[str]
    categories: tuple[Column, ...] = ()
    comments: tuple[str, ...] = ()


def _inputs(table: Path, rest: Sequence[Column], has_label: bool) -> InputColumns:
    """Guess the inputs among the columns that are nothing else."""
    by_kind: dict[str, list[Column]] = {}
    for column in rest:
        by_kind.setdefault(_use_of(column), []).append(column)
    if "image" in by_kind:
        name = by_kind["image"][0].name
        size, why = _size(table, name)
        return InputColumns({"image": name, "size": size}, "small-cnn", [f"image: {name}, {why}"])
    if "text" in by_kind:
        name = by_kind["text"][0].name
        return InputColumns({"text": name}, "logistic" if has_label else "lstm", [f"text: {name}"])
    keys: dict[str, Any] = {}
    said = []
    numbers, words = by_kind.get("features", []), by_kind.get("categories", [])
    for key, columns in (("features", numbers), ("categories", words)):
        if columns:
            keys[key] = [column.name for column in columns]
            said.append(f"{key}: {names_of(keys[key], MOST_NAMED)}")
    others = len(numbers) if len(numbers) > MOST_NAMED and "" not in by_kind else 0
    if others:
        del keys["features"]
    if any(column.gaps for column in (*numbers, *words)):
        keys["gaps"] = "mean"
        said.append("gaps: an empty cell, or NA or the like in it, is the mean of its column")
    left_out = [f"{c.name} ({_why_left_out(c)})" for c in by_kind.get("", ())]
    if left_out:
        said.append(f"left out: {names_of(left_out, MOST_NAMED)}")
    comments = []
    if others:
        comments.append(f"features: [...]  # left out, as here: all {others} others")
    if counting := [column.name for column in rest if column.counts]:
        named = names_of(map(visible, counting))
        comments.append(f"left out, as they number the rows: {named}; in `features` they are kept")
    if (side := side_of([column.name for column in numbers])) and not words:
        image = f"{visible(numbers[0].name)} to {visible(numbers[-1].name)}"
        comments.append(
            f"shape: [1, {side}, {side}]  # if {image} are the pixels of an image, line by line; "
            "then `model: small-cnn`"
        )
        said.append(f"{image} may be an image of {side}x{side} pixels: `shape` says it")
    return InputColumns(keys, "mlp(hidden=[32])", said, tuple(words), tuple(comments))


def _use_of(column: Column) -> str:
    """What a column may be an input as; empty where it is left out."""
    if column.kind in ("image", "text"):
        return column.kind
    if column.kind == "number" and not column.counts:
        return "features"
    few = 2 <= len(column.values) <= MOST_WORDS
    return "categories" if column.kind == "words" and few else ""


def _size(table: Path, column: str) -> tuple[list[int], str]:
    """The height and width for images: their own where all agree and a small network can
    take them.
    """
    own = size_of(read(table, (column,), (column,)), column)
    if own is None:
        return [SCALED, SCALED], f"scaled to {SCALED}x{SCALED}, as their sizes differ"
    height, width = own
    if max(own) > MOST_PIXELS:
        return [
            SCALED,
            SCALED,
        ], f"of {height}x{width} pixels, scaled to {SCALED}x{SCALED}; `size` says it"
    return [height, width], f"of {height}x{width} pixels"


def _why_left_out(column: Column) -> str:
    if column.counts:
        return "row numbers"
    if column.kind == "date":
        return "dates"
    if column.values and all(map(DECIMAL_COMMA.fullmatch, map(str, column.values))):
        return "numbers with decimal commas; write points"
    if column.kind in ("words", "text"):
        return f"{len(column.values)} different texts"
    return "neither numbers nor words"


def _pair(key: str, value: Any) -> str:
    """A key with its value, on one line of YAML."""
    return f"{key}: {in_line(value)}"


_RATES = """\
rates:
  - {server: adam, client_rate: 0.1, server_rate: 0.01}
  - {server: sgd, client_rate: 0.1, server_rate: 1.0}

# With this line every start and pair is given its best rates first, by as many trials each.
# tuning: {trials: 10, rounds: 15}
"""

_BAG_RATES = """\
# A bag of words is small shares of many words, which learn with large rates, and with which depends
# on the texts: every start and pair is given its best ones first, by as many trials each, of which
# the first has those of `rates`.
tuning: {trials: 10, rounds: 15}
rates:
  - {server: adam, client_rate: 3.0, server_rate: 0.1}
  - {server: sgd, client_rate: 3.0, server_rate: 1.0}
"""

_STUDY = """\
# A first study of {table}, as `headstart init` guessed it from the columns: look at the lines under
# `table`.
#   headstart inspect FILE           the clients: sizes, labels, skew
#   headstart check FILE             the grid, and how long it takes
#   headstart run FILE --out out     run it, or go on with it; out/report.html
{name}
task:
  table:
{task}
model: {model}

# Every list is an axis of the grid: each start with each pair of optimizers, for each seed.
starts:
- random
# - checkpoint(path='weights.pt')  # weights that you have, or a proxy: docs/starts.md
clients: [sgd, proximal(mu=0.1)]
servers: [sgd, adam]
partitions: {partitions}
seeds: [0, 1, 2]
{rates}
{population}cohort: {cohort}
batch_size: 16
rounds: 30
every: 5
"""
