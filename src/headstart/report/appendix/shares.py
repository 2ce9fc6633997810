"""How accuracy is shared out over clients and over classes at the end of a run, where a study measured it."""

from typing import Any

import numpy as np

from headstart.report.runs.cells import Cell, Pair
from headstart.report.runs.grid import Study
from headstart.report.words.numbers import listed, percent
from headstart.report.words.table import Table

CLIENTS = {
    "client_accuracy_worst": "worst client",
    "client_accuracy_p10": "tenth percentile of clients",
    "client_accuracy_mean": "mean of clients",
    "client_accuracy_std": "standard deviation between clients",
}
CLASSES = {"test_balanced_accuracy": "balanced accuracy", "test_f1_macro": "macro F1"}
METRICS = CLIENTS | CLASSES


def measured(study: Study) -> dict[str, str]:
    """The metrics that any run of the base setting has, with their names."""
    runs = {run.run for (_, _, setting), cell in study.cells.items() if setting == study.base for run in cell.runs}
    found = {metric for run, metric in study.results.curves if run in runs}
    return {metric: name for metric, name in METRICS.items() if metric in found}


def at_the_end(study: Study, cell: Cell, metric: str) -> float | None:
    """The mean over seeds of the last value; None where a run diverged or a seed lacks it."""
    last = [float(values[-1]) for _, values in study.curves(cell, metric).values()]
    return float(np.mean(last)) if last and len(last) == len(cell.runs) and not cell.diverged else None


def table(study: Study) -> Table | None:
    """A row for each start and pair of the base setting; None where nothing of it was measured."""
    shown = measured(study)
    cells = [cell for (_, _, setting), cell in study.cells.items() if setting == study.base]
    columns: dict[str, list[Any]] = {
        "start": [cell.start for cell in cells],
        "pair": [str(cell.pair) for cell in cells],
    }
    columns |= {name: [at_the_end(study, cell, metric) for cell in cells] for metric, name in shown.items()}
    caption = "Accuracy over clients and classes, mean over seeds"
    return Table("shares", caption, columns, frozenset(shown.values())) if shown else None


def told(study: Study, pair: Pair) -> str:
    """The same at one pair from every start, in a sentence; empty where nothing was measured."""
    said = []
    for metric, name in measured(study).items():
        values = {start: at_the_end(study, study.cell(start, pair), metric) for start in study.starts}
        each = [f"{percent(value)} from {start}" for start, value in values.items() if value is not None]
        said += [f"{name} {listed(each)}"] if each else []
    return f"With {pair}, at the end: {'; '.join(said)}." if said else ""
