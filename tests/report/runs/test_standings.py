"""How pairs stand from one start."""

from collections.abc import Callable

import numpy as np
import pytest

from headstart.report.runs.grid import Grid

A, B, C = "sgd + adam", "sgd + sgd", "nova + adam"


def test_means_ranks_and_gaps(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.5, 0.6], B: [0.8, 0.91], C: [0.7, None]}})
    found = grid.standings["random"]
    assert found.means[:2] == [pytest.approx(0.55), pytest.approx(0.855)]
    assert np.isnan(found.means[2])
    assert found.ranks == [2, 1, 3]
    assert found.best == 1
    assert found.ranked() == [1, 0, 2]
    assert found.gaps[0] is not None
    assert found.gaps[0].value == pytest.approx(0.305)
    assert (found.diverged, found.short, found.seeds) == (1, 0, (0, 1))


def test_a_pair_far_below_is_not_level_with_the_best(table: Callable[..., Grid]) -> None:
    near, far = [0.895, 0.911, 0.899], [0.1, 0.11, 0.09]
    found = table({"random": {A: [0.9, 0.91, 0.9], B: near, C: far}}).standings["random"]
    assert found.behind == {2}


def test_nothing_is_best_where_all_diverged(table: Callable[..., Grid]) -> None:
    found = table({"random": {A: [None]}}).standings["random"]
    assert (found.best, found.best_cell, found.measured) == (None, None, True)
