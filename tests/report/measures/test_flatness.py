"""Eigenvalues at the start and at the end, their ratios, and how they converged."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from headstart.report.measures.flatness import (
    METRIC,
    Convergence,
    convergence,
    final,
    mean,
    ratio,
)
from headstart.report.runs.grid import Grid

A = "sgd + adam"


def test_a_ratio_is_a_difference_of_logarithms() -> None:
    found = ratio({0: 8.0, 1: 32.0}, {0: 2.0, 1: 2.0})
    assert found is not None
    assert found.value == pytest.approx(math.log(8.0))  # of 4 and 16


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_is_not_positive_has_no_ratio(value: float) -> None:
    assert ratio({0: value}, {0: 2.0}) is None


def test_the_mean_is_geometric_where_it_can_be() -> None:
    assert mean({0: 2.0, 1: 8.0}) == pytest.approx(4.0)
    assert mean({0: -2.0, 1: 8.0}) == 3.0


def test_the_last_value_counts_where_it_is_of_the_last_round(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = table({"random": {A: [0.9, 0.9]}})
    grid = with_curves(grid, METRIC, lambda run: [(0, 9.0), (100 if run.seed else 50, 3.0)])
    assert final(grid, "random") == {1: 3.0}


def test_convergence_is_counted(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {A: [0.9]}})
    assert convergence(grid) is None
    grid = with_curves(grid, "hessian_residual", lambda run: [(0, 0.01), (5, 0.2)])
    grid = with_curves(grid, "hessian_converged", lambda run: [(0, 1.0), (5, 0.0)])
    assert convergence(grid) == Convergence(0.2, 1, 2)
