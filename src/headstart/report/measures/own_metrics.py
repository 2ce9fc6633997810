"""What probes measured that no panel of the package knows: those of the user's own."""

import numpy as np

from headstart.report.measures.end_metrics import METRICS
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.tables import ON_OWN_ROWS

KNOWN = METRICS.keys() | {
    "test_loss", "test_accuracy", "train_loss", "train_accuracy", "local_loss",
    "gradient_diversity", "cosine_between_clients", "cosine_over_time",
    "local_drift", "client_spread", "aggregate_noise",
    "distance_to_final", "hessian_top", "hessian_residual", "hessian_converged",
    "hessian_products", "hessian_trace", "hessian_trace_error", ON_OWN_ROWS,
}  # fmt: skip
"""The metrics of the package's probes. Layers (behind a dot) and places (a number) are left off."""


def unknown(grid: Grid) -> list[str]:
    """The metrics that any run of the base setting has and no panel knows, in their order."""
    found: dict[str, None] = {}
    for cell in grid.at_base():
        found |= grid.metrics(cell)
    return [metric for metric in found if family(metric) not in KNOWN]


def family(metric: str) -> str:
    """A metric without its layer or its place.

    >>> family("distance_to_final.stem"), family("hessian_top_3"), family("norm")
    ('distance_to_final', 'hessian_top', 'norm')
    """
    name = metric.partition(".")[0]
    stem, _, number = name.rpartition("_")
    return stem if stem and number.isdecimal() else name


def last_values(grid: Grid, cell: Cell, metric: str) -> dict[int, float]:
    """The last value of a metric by seed, of the runs that finished; the mean over the seeds of
    each repeat of the tuning where several share one.
    """
    found = {}
    finished = {run.seed for run in cell.runs if run.finished}
    for seed, (_, values) in grid.curves(cell, metric).items():
        if seed in finished and len(values) and np.isfinite(values[-1]):
            found[seed] = float(values[-1])
    return cell.over_repeats(found)
