"""Whether training has changed the accuracy: by two points or more."""

from collections.abc import Callable
from typing import Any

import pytest

from headstart.report.measures.learning import learning, unlearned
from headstart.report.runs.grid import Grid

A, B = "sgd + adam", "sgd + sgd"


@pytest.mark.parametrize(("best", "hardly"), [(0.119, True), (0.121, False)])
def test_less_than_two_points_with_the_best_pair_is_hardly(
    table: Callable[..., Grid], with_curves: Any, best: float, hardly: bool
) -> None:
    grid = table({"random": {A: [0.05], B: [best]}, "proxy": {A: [0.9], B: [0.9]}})
    grid = with_curves(grid, "test_accuracy", lambda run: [(0, 0.1)])
    found = learning(grid, "random")
    assert found is not None
    assert (found.before, found.best, found.hardly) == (0.1, best, hardly)
    assert [each.start for each in unlearned(grid)] == (["random"] if hardly else [])


def test_without_a_first_measurement_nothing_is_said(table: Callable[..., Grid]) -> None:
    assert learning(table({"random": {A: [0.1]}}), "random") is None
