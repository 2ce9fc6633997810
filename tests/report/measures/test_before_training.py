"""What was measured before the first round, on curves with known values."""

from collections.abc import Callable
from typing import Any

from headstart.report.measures.before_training import initial
from headstart.report.runs.grid import Grid

A, B = "sgd + adam", "sgd + sgd"


def test_it_is_the_mean_over_pairs_by_seed(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {A: [0.5, 0.5], B: [0.5, 0.5]}})
    first = {A: 1.0, B: 3.0}
    grid = with_curves(
        grid, "loss", lambda run: [(0, first[f"{run.client} + {run.server}"] + run.seed), (5, 9.0)]
    )
    assert initial(grid, "random", "loss") == {0: 2.0, 1: 3.0}


def test_a_curve_that_begins_later_says_nothing(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = with_curves(table({"random": {A: [0.5]}}), "loss", lambda run: [(5, 1.0)])
    assert initial(grid, "random", "loss") == {}
