"""The largest eigenvalue of the Hessian, before the first round and after the last, by start.

Starts are compared by the ratio of their eigenvalues: logarithms are differenced by seed, and the
interval is Student's t of these differences. Where a value is not positive, differences are taken.
"""

import math
from dataclasses import dataclass

import numpy as np

from headstart.report.measures.before_training import initial, mean_of_each
from headstart.report.runs.grid import Grid
from headstart.statistics.intervals import Estimate, paired_difference

METRIC = "hessian_top_1"

BySeed = dict[int, float]
Spectra = dict[str, tuple[BySeed, BySeed]]
"""start -> the top eigenvalue by seed before the first round and after the last, where it was
measured.
"""


@dataclass(frozen=True)
class Convergence:
    """How well the measurements converged."""

    residual: float  # the largest, relative
    failed: int  # measurements that did not converge
    measurements: int


def spectra(grid: Grid) -> Spectra:
    """The top eigenvalue from every start."""
    return {start: (initial(grid, start, METRIC), final(grid, start)) for start in grid.starts}


def final(grid: Grid, start: str) -> BySeed:
    """The eigenvalue after the last round, mean over the pairs whose run of a seed finished."""
    found: dict[int, list[float]] = {}
    for pair in grid.pairs():
        cell = grid.cell(start, pair)
        last = {run.seed: run.rounds for run in cell.runs if run.finished}
        for seed, (rounds, values) in grid.curves(cell, METRIC).items():
            if len(rounds) and rounds[-1] > 0 and rounds[-1] == last.get(seed):
                found.setdefault(seed, []).append(float(values[-1]))
    return mean_of_each(found)


def convergence(grid: Grid) -> Convergence | None:
    """How well the measurements converged; None where that was not recorded."""
    residuals: list[float] = []
    converged: list[float] = []
    for start in grid.starts:
        for pair in grid.pairs():
            cell = grid.cell(start, pair)
            for _, values in grid.curves(cell, "hessian_residual").values():
                residuals += values.tolist()
            for _, values in grid.curves(cell, "hessian_converged").values():
                converged += values.tolist()
    if not residuals:
        return None
    failed = sum(value < 1 for value in converged)
    return Convergence(max(residuals), failed, len(converged))


def ratio(larger: BySeed, smaller: BySeed) -> Estimate | None:
    """The difference of logarithms; None where a value is not positive or no seed is common."""
    if min([*larger.values(), *smaller.values()], default=1.0) <= 0:
        return None
    return paired_difference(_logarithms(larger), _logarithms(smaller), step=0.0)


def _logarithms(by_seed: BySeed) -> BySeed:
    return {seed: math.log(value) for seed, value in by_seed.items()}


def mean(by_seed: BySeed) -> float:
    """The geometric mean, so that a ratio of means is the mean of the ratios.

    Where it has none, the arithmetic one.
    """
    values = np.array(list(by_seed.values()))
    return float(np.exp(np.log(values).mean()) if (values > 0).all() else values.mean())
