"""Studies in memory whose runs have curves."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from headstart.report.runs.grid import Grid
from headstart.report.runs.records import Run
from headstart.report.runs.sorting import sort

Points = Sequence[tuple[int, float]]
WithCurves = Callable[[Grid, str, Callable[[Run], Points]], Grid]


def given_curves(grid: Grid, metric: str, points: Callable[[Run], Points]) -> Grid:
    """The study with (round, value) of a metric for each run; none where `points` has none."""
    curves = dict(grid.records.curves)
    for run in grid.records.runs:
        found = points(run)
        if found:
            rounds, values = zip(*found, strict=True)
            curves[run.run, metric] = np.array(rounds), np.array(values, dtype=float)
    return sort(replace(grid.records, curves=curves))


@pytest.fixture
def with_curves() -> WithCurves:
    """`with_curves(grid, "test_loss", lambda run: [(0, 2.0), (5, 1.0)])`."""
    return given_curves
