"""How sure a verdict is, and what so few runs cannot exclude."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from scipy import stats

from headstart.looks.competitors import Pair
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.sureness import (
    collapsed,
    collapses,
    how_sure,
    in_how_many,
    what_is_unseen,
)

Table = Callable[..., Grid]
A = "sgd + adam"


def test_it_says_at_which_look(table: Table) -> None:
    runs = {"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}}
    assert how_sure(table(runs), "proxy").startswith(
        "In 95% of such studies all that is claimed here is true, however often one looks (this "
        "was the only look, at 3 seeds), at the rates of the study file."
    )
    until = table(runs, seeds={"until": "decided", "first": 3, "at_most": 9})
    assert "(this was look 1 of at most 7, at 3 seeds)" in how_sure(until, "proxy")
    assert how_sure(table({"random": {A: [0.8]}}), "random") == ""


def test_a_margin_that_was_changed_after_results_is_told(table: Table) -> None:
    grid = table({"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}}, margin=5)
    assert "margin" not in how_sure(grid, "proxy")
    changed = sort(replace(grid.records, earlier_margins=(0.01, 0.02, 0.01)))
    assert (
        "The margin was 1 point and 2 points at looks that were taken before, and was changed to 5 "
        "points when there were results: it was not stated before them"
    ) in how_sure(changed, "proxy")


@pytest.mark.parametrize("runs", [1, 3, 20])
def test_the_share_of_runs_that_may_collapse_is_that_of_clopper_and_pearson(runs: int) -> None:
    """None of n: the upper bound of 95 %, on one side."""
    most = stats.binomtest(0, runs, alternative="less").proportion_ci(0.95, "exact").high
    assert f"up to {100 * most:.0f}% of runs collapse" in collapses({"random": runs}, {"random": 0})


def test_the_runs_of_every_start_are_counted(table: Table) -> None:
    """Beside "20 runs went well" six runs of the other start had collapsed by 30 points."""
    well, falls = (
        [0.95, 0.951, 0.949] * 3,
        [0.96, 0.961, 0.66, 0.959, 0.96, 0.65, 0.961, 0.96, 0.962],
    )
    grid = table({"random": {A: well}, "proxy": {A: falls}})
    assert how_sure(grid, "random").endswith(
        "Of 9 runs from proxy 2 ended far below the others: where runs collapse at times, claims "
        "are false more often."
    )
    few = table({"random": {A: well[:2]}, "proxy": {A: falls[:2]}})
    assert "2 runs from each start went well; so few" in what_is_unseen(few)


def test_runs_that_vary_have_not_collapsed(table: Table) -> None:
    grid = table({"random": {A: [0.3, 0.45, 0.6, 0.5, 0.38]}})
    assert collapsed(grid.cell("random", Pair("sgd", "adam"))) == 0


def test_what_is_true_in_95_of_studies_is_said_of_the_rates_that_it_holds_for(table: Table) -> None:
    """Tuned once, 81 % of studies made a false claim over tunings,
    beside "in 95% of such studies".
    """
    grid = table({"random": {A: [0.8, 0.81]}})
    assert in_how_many(grid, "x").endswith("(x), at the rates of the study file.")
    once = table({"random": {A: [0.8, 0.81]}}, tuning={"trials": 3})
    said = in_how_many(once, "x")
    assert said.startswith(
        "At these rates, which were tuned once, all that is claimed here is true in 95%"
    )
    assert said.endswith("another tuning may find others, for which nothing is said.")
    often = table({"random": {A: [0.8, 0.81]}}, tuning={"trials": 3, "repeats": 2})
    assert in_how_many(often, "x").endswith(
        "the rates were tuned 2 times, and all is said over what they came to."
    )
    twice = [replace(run, run=f"again/{run.run}", client_rate=0.3) for run in grid.records.runs]
    picked = in_how_many(sort(replace(grid.records, runs=(*grid.records.runs, *twice))), "x")
    assert picked.endswith(
        "in how many such studies all that is claimed here is true is not known (x)."
    )
    assert "95%" not in picked


def test_what_few_runs_cannot_exclude_is_said_once(table: Table) -> None:
    """It is the same of any study of so many seeds, and stands beside the verdict,
    unless some did collapse.
    """
    grid = table({"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}})
    assert "cannot rule out that up to 63% of runs" in what_is_unseen(grid)
    assert "cannot rule out" not in how_sure(grid, "proxy")
