"""What a study is held against that needs no training, from tables with known values."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from headstart.report.measures import baselines
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.tables import BaselineRow

PAIR = "sgd + adam"


def row(baseline: str, accuracy: float | None, answer: str = "yes") -> BaselineRow:
    return BaselineRow(
        task="made", baseline=baseline, rule="", answer=answer, accuracy=accuracy, loss=0.7, predictions=10
    )


def test_both_are_found_by_their_names(table: Callable[..., Grid]) -> None:
    rows = row("constant", 0.6), row("chance", 0.5)
    grid = sort(replace(table({"random": {PAIR: [0.7]}}).records, baselines=rows))
    assert (baselines.constant(grid), baselines.chance(grid)) == rows
    assert baselines.constant_accuracy(grid) == 0.6


def test_tables_without_them_say_nothing(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.7]}})
    assert baselines.constant(grid) is baselines.chance(grid) is baselines.constant_accuracy(grid) is None


def test_an_answer_that_a_page_would_obey_is_shown(table: Callable[..., Grid]) -> None:
    grid = sort(replace(table({"random": {PAIR: [0.7]}}).records, baselines=(row("constant", 0.6, "a\x1b[2Jb"),)))
    found = baselines.constant(grid)
    assert found is not None
    assert "\x1b" not in found.answer


def test_a_start_untrained_is_that_before_the_first_round(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {PAIR: [0.5, 0.6]}, "proxy": {PAIR: [0.5, 0.6]}})
    grid = with_curves(
        grid, "test_accuracy", lambda run: [(0, (0.3 if run.start == "proxy" else 0.1) + run.seed), (9, 0.9)]
    )
    assert baselines.untrained_accuracy(grid, "random") == {0: 0.1, 1: 1.1}
    assert baselines.untrained_accuracy(grid, "proxy") == {0: 0.3, 1: 1.3}
    assert baselines.untrained_loss(grid, "proxy") == {}
