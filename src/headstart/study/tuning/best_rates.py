"""The best rates of a study that tries several, as rows for the `rates` of a study file."""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import yaml

from headstart.wording.epochs import whole_or_part

CELL = ("start", "trainable", "client", "server", "partition", "devices", "local_epochs")
RATES = ("client_rate", "server_rate")


def best_rates(runs: pa.Table) -> list[dict[str, Any]]:
    """For each start, pair and setting: the rates with the highest mean final accuracy over seeds.

    Ties go to the lower mean loss. Rates at which a run diverged are not chosen, unless all did:
    then the cell is left out. `trials` is the number of rates tried, equal budgets being the point;
    `edge` names the rates that are the lowest or highest tried, where a wider range could do
    better.
    """
    cells: dict[tuple[Any, ...], dict[tuple[Any, ...], list[tuple[float, float]]]] = {}
    for run in runs.to_pylist():
        # a study may leave evaluation out
        evaluated = run["status"] == "finished" and run["test_accuracy"] is not None
        outcome = (run["test_accuracy"], -run["test_loss"]) if evaluated else (-math.inf, -math.inf)
        tried = cells.setdefault(_values(run, CELL), {})
        tried.setdefault(_values(run, RATES), []).append(outcome)
    rows = []
    for cell, tried in cells.items():
        means = {rates: _means(outcomes) for rates, outcomes in tried.items()}
        best = max(means, key=means.__getitem__)
        if not math.isfinite(means[best][0]):
            continue
        row: dict[str, Any] = dict(zip(CELL, cell, strict=True))
        row["local_epochs"] = whole_or_part(row["local_epochs"])
        row |= zip(RATES, best, strict=True)
        edge = _edges(best, list(tried))
        rows.append(row | {"trials": len(tried), "edge": edge, "accuracy": means[best][0]})
    return rows


def _values(run: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(run[name] for name in names)


def _means(outcomes: list[tuple[float, float]]) -> tuple[float, float]:
    accuracies, losses = zip(*outcomes, strict=True)
    return sum(accuracies) / len(outcomes), sum(losses) / len(outcomes)


def _edges(best: tuple[Any, ...], tried: list[tuple[Any, ...]]) -> list[str]:
    """The rates that are the lowest or the highest of several tried."""
    at_an_edge = []
    for name, chosen, values in zip(RATES, best, zip(*tried, strict=True), strict=True):
        if len(set(values)) > 1 and chosen in (min(values), max(values)):
            at_an_edge.append(name)
    return at_an_edge


def as_rates(rows: list[dict[str, Any]], chosen_on: str) -> str:
    """YAML for the `rates` of a study file, one row a line, without the axes in which the rows do
    not differ.

    Rows that were chosen on the test split say so, and so does the page of a study that takes them.
    """
    names = []
    for name in CELL:
        values = {row[name] for row in rows}
        if len(values) > 1:
            names.append(name)
    names += RATES
    text = "rates:\n"
    for row in rows:
        chosen = {name: row[name] for name in names}
        if chosen_on == "test":
            chosen["chosen_on"] = chosen_on
        line = yaml.safe_dump(chosen, default_flow_style=True, width=200, sort_keys=False)
        text += f"  - {line}"
    return text
