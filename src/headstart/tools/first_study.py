"""A first study of a user's own table: a study file with comments, from what its columns look like."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import files
from headstart.errors import HeadstartError, nearest
from headstart.study.data import task_of
from headstart.study.runner import check
from headstart.study.spec import Study
from headstart.study.yaml_text import in_line
from headstart.tasks.own.sources import FILE
from headstart.tools.columns import MOST_WORDS, Column, client_of, columns_of, label_of, split_of


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
        check(study)
        made = task_of(study.task)
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
    inputs, model, said = _inputs(rest, classes is not None)
    if classes is None and "text" not in inputs:
        names = ", ".join(repr(column.name) for column in columns)
        raise HeadstartError(f"{table}: no column looks like classes; name one of {names} (--label)")
    lines = [f"    {_pair('path', os.path.relpath(table, path.parent))}"]
    guesses = []
    if owner is not None:
        lines.append(f"    {_pair('client', owner.name)}  # whose a row is: {len(owner.values)} of them")
        guesses.append(f"client: {owner.name} ({len(owner.values)} of them), {why_client}")
    else:
        guesses.append("client: no column looks like one; rows are dealt to clients by a draw")
    if classes is not None:
        lines.append(f"    {_pair('label', classes.name)}  # {len(classes.values)} classes")
        guesses.append(f"label: {classes.name} ({len(classes.values)} classes), {why_label}")
    lines += [f"    {_pair(key, value)}" for key, value in inputs.items()]
    if split is not None:
        lines.append(f"    {_pair('split', split.name)}")
    elif owner is not None:
        lines.append("    split_by: row  # a fifth of the rows is tested on; `client` tests on whole clients")
    clients = len(owner.values) if owner else max(2, min(50, max(c.rows for c in columns) // 20))
    study = _STUDY.format(
        table=" ".join(table.name.split()),
        name=_pair("name", table.stem or "study"),
        task="\n".join(lines),
        model=model,
        partitions="natural  # each has its own rows" if owner else "dirichlet(alpha=0.3)  # few classes each",
        population="" if owner else f"population: {clients}\n",
        cohort=max(1, min(10, clients // 2)),
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


def _inputs(rest: list[Column], has_label: bool) -> tuple[dict[str, Any], str, list[str]]:
    """The parameters of the table that name its inputs, a model for them, and what is said of both."""
    for kind, parameters, model in (("image", {"size": [32, 32]}, "small-cnn"), ("text", {}, "logistic")):
        found = [column for column in rest if column.kind == kind]
        if found:
            model = model if has_label else "lstm"
            return {kind: found[0].name, **parameters}, model, [f"{kind}: {found[0].name}"]
    numbers = [column for column in rest if column.kind == "number" and not column.counts]
    words = [column for column in rest if column.kind == "words" and 2 <= len(column.values) <= MOST_WORDS]
    names, categories = ([column.name for column in some] for some in (numbers, words))
    left_out = [column.name for column in rest if column not in (*numbers, *words)]
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
        said.append("gaps: an empty cell is the mean of its column")
    if left_out:
        said.append(f"left out: {', '.join(left_out)} (row numbers, or too many words)")
    return inputs, "mlp(hidden=[32])", said


def _pair(key: str, value: Any) -> str:
    """A key with its value, on one line of YAML."""
    return f"{key}: {in_line(value)}"


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
rates:
  - {{server: adam, client_rate: 0.1, server_rate: 0.01}}
  - {{server: sgd, client_rate: 0.1, server_rate: 1.0}}

{population}cohort: {cohort}
batch_size: 16
rounds: 30
every: 5

# With these lines every start and pair is given its best rates first, by as many trials each.
# tuning: {{trials: 10, rounds: 15}}
"""
