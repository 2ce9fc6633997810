"""Rounds and bytes to the target, counted by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from headstart.looks.competitors import Pair
from headstart.report.measures import speed
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

A = "sgd + adam"
PAIR = Pair("sgd", "adam")


def test_a_run_that_never_reaches_the_target_counts_with_all_its_rounds(
    table: Callable[..., Grid],
) -> None:
    cell = table({"random": {A: [0.9, 0.5]}}, {"random": [20, None]}).cell("random", PAIR)
    assert speed.rounds_needed(cell) == {0: 20.0, 1: 100.0}
    assert (speed.reached(cell), speed.reached_by_all(cell)) == (1, False)
    assert speed.median_rounds(cell) is None


def test_a_diverged_run_leaves_no_rounds(table: Callable[..., Grid]) -> None:
    cell = table({"random": {A: [0.9, None]}}, {"random": [20, None]}).cell("random", PAIR)
    assert speed.rounds_needed(cell) == {}


def test_bytes_are_in_proportion_to_rounds(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.9, 0.9, 0.9]}}, {"random": [10, 20, 50]})
    runs = [replace(run, bytes_up=30_000_000, bytes_down=70_000_000) for run in grid.records.runs]
    cell = sort(replace(grid.records, runs=tuple(runs))).cell("random", PAIR)
    assert speed.median_rounds(cell) == 20.0
    assert speed.megabytes(cell) == 20.0  # 100 MB in 100 rounds
    assert speed.share_of(cell, cell.by_seed("bytes_sent"), {0: 1.0, 1: 2.0, 2: 3.0}) == 2e6
    assert speed.share_of(cell, cell.by_seed("simulated_seconds"), {0: 1.0, 1: 2.0, 2: 3.0}) is None


def test_the_mean_over_rounds_is_by_seed_and_without_round_0(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = table({"random": {A: [0.9, 0.9]}})
    grid = with_curves(
        grid, "test_accuracy", lambda run: [(0, 0.99), (5, 0.25 + run.seed), (10, 0.75 + run.seed)]
    )
    assert speed.mean_over_rounds(grid, grid.cell("random", PAIR)) == {0: 0.5, 1: 1.5}
    grid = with_curves(grid, "test_accuracy", lambda run: [(0, 0.99)])
    assert speed.mean_over_rounds(grid, grid.cell("random", PAIR)) == {}


def test_a_start_is_there_before_training_where_all_its_runs_are(
    table: Callable[..., Grid],
) -> None:
    for rounds, said in (([0, 0], True), ([0, 5], False), ([0, None], False)):
        cell = table({"random": {A: [0.9, 0.9]}}, {"random": rounds}).cell("random", PAIR)
        assert speed.there_before_training(cell) is said
