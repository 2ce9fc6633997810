"""What a study is held against that needs no training, from tables with known values."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from headstart.looks.competitors import Pair
from headstart.report.measures import baselines
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.statistics.shares import ratio_interval
from headstart.tables import BaselineRow, BaselineRunRow

PAIR = "sgd + adam"


def row(baseline: str, accuracy: float | None, answer: str = "yes") -> BaselineRow:
    return BaselineRow(
        task="made",
        baseline=baseline,
        rule="",
        answer=answer,
        accuracy=accuracy,
        loss=0.7,
        predictions=10,
    )


def test_both_are_found_by_their_names(table: Callable[..., Grid]) -> None:
    rows = row("constant", 0.6), row("chance", 0.5)
    grid = sort(replace(table({"random": {PAIR: [0.7]}}).records, baselines=rows))
    assert (baselines.constant(grid), baselines.chance(grid)) == rows
    assert baselines.constant_accuracy(grid) == 0.6


def test_tables_without_them_say_nothing(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.7]}})
    assert (
        baselines.constant(grid)
        is baselines.chance(grid)
        is baselines.constant_accuracy(grid)
        is None
    )


def test_an_answer_that_a_page_would_obey_is_shown(table: Callable[..., Grid]) -> None:
    grid = sort(
        replace(
            table({"random": {PAIR: [0.7]}}).records, baselines=(row("constant", 0.6, "a\x1b[2Jb"),)
        )
    )
    found = baselines.constant(grid)
    assert found is not None
    assert "\x1b" not in found.answer


def test_a_start_untrained_is_that_before_the_first_round(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = table({"random": {PAIR: [0.5, 0.6]}, "proxy": {PAIR: [0.5, 0.6]}})
    grid = with_curves(
        grid,
        "test_accuracy",
        lambda run: [(0, (0.3 if run.start == "proxy" else 0.1) + run.seed), (9, 0.9)],
    )
    assert baselines.untrained_accuracy(grid, "random") == {0: 0.1, 1: 1.1}
    assert baselines.untrained_accuracy(grid, "proxy") == {0: 0.3, 1: 1.3}
    assert baselines.untrained_loss(grid, "proxy") == {}


def held(grid: Grid, *rows: tuple[str, int, str, float | None]) -> Grid:
    """(start, seed, baseline, accuracy) of other training."""
    keys = {(run.start, run.seed): run.run for run in grid.records.runs}
    found = [
        BaselineRunRow(
            run=str(i), held_against=keys[start, seed], baseline=baseline, alone=None,
            status="finished", rounds=9, test_accuracy=accuracy, seconds=1.0,
        )
        for i, (start, seed, baseline, accuracy) in enumerate(rows)
    ]  # fmt: skip
    return sort(replace(grid.records, baseline_runs=tuple(found)))


def both(
    seed: int, central: float | None, *local: float
) -> list[tuple[str, int, str, float | None]]:
    return [
        ("random", seed, "centralised", central),
        *(("random", seed, "local", each) for each in local),
    ]


def test_the_share_of_a_gap_is_of_means_over_seeds(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.8, 0.7, 0.9]}})
    grid = held(grid, *both(0, 0.9, 0.3, 0.5), *both(1, 0.8, 0.4), *both(2, 1.0, 0.4, 0.6))
    found = baselines.gap(grid, grid.cell("random", Pair("sgd", "adam")))
    assert found is not None
    assert (found.local[0], found.clients, found.seeds) == (0.4, 5, [0, 1, 2])
    gains, gaps = [0.4, 0.3, 0.4], [0.5, 0.4, 0.5]
    assert found.closed == pytest.approx(sum(gains) / sum(gaps))
    expected = ratio_interval(gains, gaps)
    assert expected is not None
    assert found.interval == pytest.approx(expected)


def test_seeds_that_share_a_tuning_count_as_one(table: Callable[..., Grid]) -> None:
    """Five seeds at the rates of three tunings: 0 and 3, 1 and 4, and 2."""
    tuning = {"trials": 3, "repeats": 3}
    grid = table({"random": {PAIR: [0.8, 0.7, 0.9, 0.7, 0.8]}}, tuning=tuning)
    grid = held(
        grid,
        *(
            each
            for seed, top in enumerate((0.9, 0.8, 1.0, 1.0, 0.9))
            for each in both(seed, top, 0.4)
        ),
    )
    found = baselines.gap(grid, grid.cell("random", Pair("sgd", "adam")))
    assert found is not None
    gains, gaps = [0.35, 0.35, 0.5], [0.55, 0.45, 0.6]
    assert found.closed == pytest.approx(sum(gains) / sum(gaps))
    assert found.interval == pytest.approx(ratio_interval(gains, gaps))


def test_a_seed_whose_other_training_diverged_is_left_out(table: Callable[..., Grid]) -> None:
    grid = held(table({"random": {PAIR: [0.8, 0.7]}}), *both(0, 0.9, 0.3), *both(1, None, 0.4))
    found = baselines.gap(grid, grid.cell("random", Pair("sgd", "adam")))
    assert found is not None
    assert found.seeds == [0]
    assert found.interval is None


def test_where_nothing_lies_between_no_share_is_closed(table: Callable[..., Grid]) -> None:
    grid = held(table({"random": {PAIR: [0.8]}}), *both(0, 0.3, 0.3))
    found = baselines.gap(grid, grid.cell("random", Pair("sgd", "adam")))
    assert found is not None
    assert found.closed is found.interval is None
    assert (
        baselines.gap(table({"random": {PAIR: [0.8]}}), grid.cell("random", Pair("sgd", "adam")))
        is None
    )
