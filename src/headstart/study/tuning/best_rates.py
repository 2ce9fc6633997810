"""The best rates of a study that tries several, as rows for the `rates` of a study file."""

import math
from typing import Any

import pyarrow as pa
import yaml

from headstart.epochs import whole_or_part

CELL = ("start", "trainable", "client", "server", "partition", "devices", "local_epochs")
RATES = ("client_rate", "server_rate")


def best_rates(runs: pa.Table) -> list[dict[str, Any]]:
    """For each start, pair and setting: the rates with the highest mean final accuracy over seeds.

    Ties go to the lower mean loss. Rates at which a run diverged are not chosen, unless all did:
    then the cell is left out. `trials` is the number of rates tried, equal budgets being the point;
    `edge` names the rates that are the lowest or highest tried, where a wider range could do
    better.
    """
    cells: dict[tuple[Any, ...], dict[tuple[float, float], list[tuple[float, float]]]] = {}
    for run in runs.to_pylist():
        # a study may leave evaluation out
        evaluated = run["status"] == "finished" and run["test_accuracy"] is not None
        outcome = (run["test_accuracy"], -run["test_loss"]) if evaluated else (-math.inf, -math.inf)
        tried = cells.setdefault(tuple(run[name] for name in CELL), {})
        tried.setdefault((run["client_rate"], run["server_rate"]), []).append(outcome)
    rows = []
    for cell, tried in cells.items():
        means = {
            rates: tuple(sum(column) / len(column) for column in zip(*o, strict=True))
            for rates, o in tried.items()
        }
        best = max(means, key=means.__getitem__)
        if not math.isfinite(means[best][0]):
            continue
        edge = [
            name for i, name in enumerate(RATES) if _at_edge(best[i], {rates[i] for rates in tried})
        ]
        row: dict[str, Any] = dict(zip(CELL, cell, strict=True))
        row |= {"local_epochs": whole_or_part(row["local_epochs"])} | dict(
            zip(RATES, best, strict=True)
        )
        rows.append(row | {"trials": len(tried), "edge": edge, "accuracy": means[best][0]})
    return rows


def _at_edge(value: float, tried: set[float]) -> bool:
    return len(tried) > 1 and value in (min(tried), max(tried))


def as_rates(rows: list[dict[str, Any]]) -> str:
    """YAML for the `rates` of a study file, one row a line, without the axes in which the rows do
    not differ.
    """
    varying = [name for name in CELL if len({row[name] for row in rows}) > 1]
    lines = [
        yaml.safe_dump(
            {name: row[name] for name in (*varying, *RATES)},
            default_flow_style=True,
            width=200,
            sort_keys=False,
        )
        for row in rows
    ]
    return "rates:\n" + "".join(f"  - {line}" for line in lines)
