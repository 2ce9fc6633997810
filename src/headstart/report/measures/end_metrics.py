"""How accuracy is shared out over clients and over classes at the end of a run."""

import numpy as np

from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid

CLIENTS = {
    "client_accuracy_worst": "worst client",
    "client_accuracy_p10": "tenth percentile of clients",
    "client_accuracy_mean": "mean of clients",
    "client_accuracy_std": "standard deviation between clients",
}
CLASSES = {"test_balanced_accuracy": "balanced accuracy", "test_f1_macro": "macro F1"}
METRICS = CLIENTS | CLASSES


def measured(grid: Grid) -> dict[str, str]:
    """The metrics that any run of the base setting has, with their names."""
    found: set[str] = set()
    for cell in grid.at_base():
        found |= grid.metrics(cell).keys()
    return {metric: name for metric, name in METRICS.items() if metric in found}


def at_the_end(grid: Grid, cell: Cell, metric: str) -> float | None:
    """The mean over seeds of the last value; None where a run diverged or a seed lacks it."""
    last = [float(values[-1]) for _, values in grid.curves(cell, metric).values()]
    is_whole = last and len(last) == len(cell.runs) and not cell.diverged
    return float(np.mean(last)) if is_whole else None
