"""A first study of a user's own table: a study file with comments, from what its columns look like."""

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
from headstart.tasks.own.features import listed
from headstart.tasks.own.images import size_of
from headstart.tasks.sources.names import visible
from headstart.tasks.sources.tables import FILE, read
from headstart.tools.columns import MOST_WORDS, Column, client_of, columns_of, label_of, spellings, split_of

SCALED, MOST_PIXELS = 32, 128
"""Images of more pixels a side, or of several sizes, are scaled to so many: what a small network learns from soon."""


@dataclass(frozen=True)
class FirstStudy:
    """A study file that was written, and what was guessed for it, a line each."""

    path: Path
    guesses: tuple[str, ...]


def write_first_study(table: Path, path: Path, label: str | None = None, client: str | None = None) -> FirstStudy:
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
            tuned, none = "\ntuning: ", "\n# There are no rows to validate on, which this needs: tuning: "
            files.write(path, text.replace(tuned, none))
            study = Study.load(path)
        check(study)
    except HeadstartError as error:
        path.unlink()
        said = "; ".join(guesses)
        raise HeadstartError(f"{error} ({said}); name the columns: --label, --client") from None
    rows = f"{len(made.train)} rows to train on, {len(made.validation)} to validate on, {len(made.test)} to test on"
    return FirstStudy(path, (*guesses, rows))


def _text(table: Path, path: Path, label: str | None, client: str | None) -> tuple[str, list[str]]:
    columns = columns_of(table)
    classes, why_label = _chosen(columns, label, label_of(columns), "label")
    owner, why_client = _chosen(columns, client, client_of(columns, classes.name if classes else None), "client")
    split = split_of(columns)
    rest = [column for column in columns if column not in (classes, owner, split) and column.name != FILE]
    inputs, model, said = _inputs(table, rest, classes is not None)
    if classes is None and "text" not in inputs:
        names = ", ".join(repr(column.name) for column in columns)
        raise HeadstartError(f"{table}: no column looks like classes; name one of {names} (--label)")
    lines = [f"    {_pair('path', os.path.relpath(table, path.parent))}"]
    guesses = []
    named = [column for column in (owner, classes) if column is not None]
    named += [column for column in rest if column.name in inputs.get("categories", ())]
    found = {column.name: spellings(table, column) for column in named}
    owners, kinds = (found[one.name][0] if one else 0 for one in (owner, classes))
    if owner is not None:
        lines.append(f"    {_pair('client', owner.name)}  # whose a row is: {owners} of them")
        guesses.append(f"client: {owner.name} ({owners} of them), {why_client}")
    else:
        guesses.append("client: no column looks like one; rows are dealt to clients by a draw")
    if classes is not None:
        lines.append(f"    {_pair('label', classes.name)}  # {kinds} classes")
        guesses.append(f"label: {classes.name} ({kinds} classes), {why_label}")
    lines += [f"    {_pair(key, value)}" for key, value in inputs.items()]
    if joined := [f"{visible(name)}: {listed(ways)}" for name, (_, ways) in found.items() if ways]:
        lines.append(f"    alike: join  # taken for one name: {'; '.join(joined)}")
        guesses.append(f"names taken for one: {'; '.join(joined)}")
    if split is not None:
        lines.append(f"    {_pair('split', split.name)}")
    elif owner is not None:
        lines.append("    split_by: row  # a fifth of the rows is tested on; `client` tests on whole clients")
    clients = owners if owner else max(2, min(50, max(c.rows for c in columns) // 20))
    study = _STUDY.format(
        table=" ".join(table.name.split()),
        name=_pair("name", table.stem or "study"),
        task="\n".join(lines),
        model=model,
        partitions="natural  # each has its own rows" if owner else "dirichlet(alpha=0.3)  # few classes each",
        population="" if owner else f"population: {clients}\n",
        cohort=max(1, min(10, clients // 2)),
        rates=_BAG_RATES if classes is not None and "text" in inputs else _RATES,
    )
    return study, guesses + said


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


def _inputs(table: Path, rest: list[Column], has_label: bool) -> tuple[dict[str, Any], str, list[str]]:
    """The parameters of the table that name its inputs, a model for them, and what is said of both."""
    for kind, model in (("image", "small-cnn"), ("text", "logistic")):
        found = [column.name for column in rest if column.kind == kind]
        if not found:
            continue
        if kind == "text":
            return {kind: found[0]}, model if has_label else "lstm", [f"{kind}: {found[0]}"]
        size, why = _size(table, found[0])
        return {kind: found[0], "size": size}, model, [f"{kind}: {found[0]}, {why}"]
    numbers = [column for column in rest if column.kind == "number" and not column.counts]
    words = [column for column in rest if column.kind == "words" and 2 <= len(column.values) <= MOST_WORDS]
    names, categories = ([column.name for column in some] for some in (numbers, words))
    left_out = [f"{column.name} ({_why_left_out(column)})" for column in rest if column not in (*numbers, *words)]
    inputs: dict[str, Any] = {}
    said = []
    if names:
        inputs["features"] = names
        said.append(f"features: {', '.join(names)}")
    if categories:
        inputs["categories"] = categories
        said.append(f"categories: {', '.join(categories)}")
    if any(column.gaps for column in (*numbers, *words)):
        inputs["gaps"] = "mean"
        said.append("gaps: an empty cell, or NA or the like in it, is the mean of its column")
    if left_out:
        said.append(f"left out: {', '.join(left_out)}")
    return inputs, "mlp(hidden=[32])", said


def _size(table: Path, column: str) -> tuple[list[int], str]:
    """The height and width for images: their own where all agree and a small network can take them."""
    own = size_of(read(table, (column,), (column,)), column)
    if own is None:
        return [SCALED, SCALED], f"scaled to {SCALED}x{SCALED}, as their sizes differ"
    height, width = own
    if max(own) > MOST_PIXELS:
        return [SCALED, SCALED], f"of {height}x{width} pixels, scaled to {SCALED}x{SCALED}; `size` says it"
    return [height, width], f"of {height}x{width} pixels"


def _why_left_out(column: Column) -> str:
    if column.counts:
        return "row numbers"
    if column.kind == "date":
        return "dates"
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
# A bag of words is small shares of many words, which learn with large rates, and with which depends on the texts:
# every start and pair is given its best ones first, by as many trials each, of which the first has those of `rates`.
tuning: {trials: 10, rounds: 15}
rates:
  - {server: adam, client_rate: 3.0, server_rate: 0.1}
  - {server: sgd, client_rate: 3.0, server_rate: 1.0}
"""

_STUDY = """\
# A first study of {table}, as `headstart init` guessed it from the columns: look at the lines under `table`.
#   headstart inspect FILE           the clients: sizes, labels, skew
#   headstart check FILE             the grid, and how long it takes
#   headstart run FILE --out out     run it, or go on with it; out/report.html
{name}
task:
  table:
{task}
model: {model}

# Every list is an axis of the grid: each start with each pair of optimizers, for each seed.
starts: [random]  # add what you have: checkpoint(path='weights.pt'), or a proxy: docs/starts.md
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
