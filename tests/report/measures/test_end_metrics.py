"""How accuracy is shared out at the end of runs."""

from collections.abc import Callable
from typing import Any

from headstart.looks.competitors import Pair
from headstart.report.measures.end_metrics import at_the_end, measured
from headstart.report.runs.grid import Grid

A = "sgd + adam"
WORST = "client_accuracy_worst"


def test_it_is_the_mean_of_last_values(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {A: [0.9, 0.9]}})
    assert measured(grid) == {}
    grid = with_curves(grid, WORST, lambda run: [(0, 0.0), (5, 0.25 + 0.5 * run.seed)])
    assert measured(grid) == {WORST: "worst client"}
    assert at_the_end(grid, grid.cell("random", Pair("sgd", "adam")), WORST) == 0.5


def test_a_seed_that_lacks_it_leaves_none(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {A: [0.9, 0.9]}})
    grid = with_curves(grid, WORST, lambda run: [(0, 0.2)] if run.seed else [])
    assert at_the_end(grid, grid.cell("random", Pair("sgd", "adam")), WORST) is None
