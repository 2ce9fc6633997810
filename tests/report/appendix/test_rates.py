"""Rates that differ between starts, that were tried, and that lie at an edge."""

import dataclasses
from collections.abc import Callable
from typing import Any

from headstart.report.appendix.rates import differed, edges, trained, tried
from headstart.report.runs.grid import Grid
from headstart.report.runs.records import Run
from headstart.report.runs.sorting import sort

PAIR = "sgd + adam"


def changed(grid: Grid, change: Callable[[Run], Run]) -> Grid:
    return sort(dataclasses.replace(grid.records, runs=tuple(map(change, grid.records.runs))))


def two(table: Callable[..., Grid]) -> Grid:
    return table({"random": {PAIR: [0.5, 0.5]}, "proxy": {PAIR: [0.9, 0.9]}})


def test_only_rates_that_differ_are_listed(table: Callable[..., Grid]) -> None:
    grid = two(table)
    assert differed(grid) == (None, 1)

    def faster(run: Run) -> Run:
        return dataclasses.replace(run, client_rate=0.3) if run.start == "proxy" else run

    found, same = differed(changed(grid, faster))
    assert found is not None
    assert found.columns["random"] == ["client 0.1, server 0.1"]
    assert found.columns["proxy"] == ["client 0.3, server 0.1"]
    assert same == 0


def test_weights_that_were_trained_are_told_where_not_all_were(table: Callable[..., Grid]) -> None:
    grid = two(table)
    assert trained(grid) == ""

    def only_the_head(run: Run) -> Run:
        return dataclasses.replace(run, trainable="head")

    def head_of_proxy(run: Run) -> Run:
        return only_the_head(run) if run.start == "proxy" else run

    alike = "From every start the same weights were trained: head."
    assert trained(changed(grid, only_the_head)) == alike
    assert trained(changed(grid, head_of_proxy)).startswith("Starts differ in which weights were")


def test_the_best_of_several_rates_is_marked_and_warned_of_at_an_edge(
    table: Callable[..., Grid],
) -> None:
    grid = two(table)
    assert (tried(grid), edges(grid)) == (None, [])
    more = []
    for rate, loss in ((0.01, 0.2), (1.0, 0.4)):
        for run in grid.records.runs:
            accuracy = (run.test_accuracy or 0.0) - loss
            name = f"{run.run}/{rate}"
            change: Any = {"run": name, "client_rate": rate, "test_accuracy": accuracy}
            more.append(dataclasses.replace(run, **change))
    found = sort(dataclasses.replace(grid.records, runs=(*grid.records.runs, *more)))
    rows = tried(found)
    assert rows is not None
    assert rows.columns["used"] == [True, False, False] * 2
    assert rows.columns["client rate"] == [0.1, 0.01, 1.0] * 2
    assert edges(found) == []
    two_rates = (*grid.records.runs, *more[:4])
    (line,) = edges(sort(dataclasses.replace(grid.records, runs=two_rates)))
    assert "client rate" in line
