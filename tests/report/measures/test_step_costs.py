"""The cost of a step along an axis, on tables whose differences are plain."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from headstart.report.measures.step_costs import effect, slopes
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

A, B = "sgd + adam", "sgd + sgd"


def along(grid: Grid, drops: dict[float, dict[str, float]]) -> Grid:
    """The study at several numbers of epochs, each with a drop of accuracy by start."""
    runs = []
    for epochs, by_start in drops.items():
        for run in grid.records.runs:
            accuracy = None
            if run.test_accuracy is not None:
                accuracy = run.test_accuracy - by_start[run.start]
            name = f"{epochs}/{run.run}"
            runs.append(replace(run, run=name, local_epochs=epochs, test_accuracy=accuracy))
    return sort(replace(grid.records, runs=tuple(runs)))


def test_the_drop_and_what_is_saved_of_it(table: Callable[..., Grid]) -> None:
    whole = {A: [0.8, 0.9], B: [0.6, 0.7]}
    grid = table({"random": whole, "proxy": whole})
    grid = along(grid, {1: {"random": 0, "proxy": 0}, 5: {"random": 0.1, "proxy": 0.04}})
    part = grid.varied("local_epochs")
    assert part is not None
    found = effect(grid, part, 1, 5)
    drop, saved = found.drop("random"), found.saved("random", "proxy")
    assert drop is not None
    assert saved is not None
    assert (drop.value, saved.value) == (pytest.approx(0.1), pytest.approx(0.06))
    assert (len(found.block.pairs), found.block.diverged, found.block.short) == (2, 0, 0)


def test_a_pair_with_a_diverged_run_is_left_out(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.8, 0.9], B: [0.6, None]}})
    grid = along(grid, {1: {"random": 0}, 5: {"random": 0.1}})
    part = grid.varied("local_epochs")
    assert part is not None
    found = effect(grid, part, 1, 5)
    assert [str(pair) for pair in found.block.pairs] == [A]
    assert found.block.diverged == 1


def test_a_slope_is_per_doubling(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.8, 0.9, 0.85]}})
    grid = along(grid, {1: {"random": 0.0}, 2: {"random": 0.01}, 4: {"random": 0.02}})
    part = grid.varied("local_epochs")
    assert part is not None
    _, found = slopes(grid, part)
    assert found["random"].value == pytest.approx(-0.01)
