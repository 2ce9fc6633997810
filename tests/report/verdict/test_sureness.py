"""How sure a verdict is, and what so few runs cannot exclude."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from scipy import stats

from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.sureness import at_which_rates, collapses, how_sure

Table = Callable[..., Grid]
A = "sgd + adam"


def test_it_says_at_which_look(table: Table) -> None:
    runs = {"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}}
    assert how_sure(table(runs), "proxy").startswith(
        "In 95% of such studies all that is claimed here is true, however often one looks (this was the only look, "
        "at 3 seeds)."
    )
    until = table(runs, seeds={"until": "decided", "first": 3, "at_most": 9})
    assert "(this was look 1 of at most 7, at 3 seeds)" in how_sure(until, "proxy")
    assert how_sure(table({"random": {A: [0.8]}}), "random") == ""


@pytest.mark.parametrize("runs", [1, 3, 20])
def test_the_share_of_runs_that_may_collapse_is_that_of_clopper_and_pearson(runs: int) -> None:
    """None of n: the upper bound of 95 %, on one side."""
    most = stats.binomtest(0, runs, alternative="less").proportion_ci(0.95, "exact").high
    assert f"up to {100 * most:.0f}% of runs collapse" in collapses(runs)


def test_it_says_at_which_rates(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}})
    assert at_which_rates(grid) == "All this holds at the rates of the study file."
    once = table({"random": {A: [0.8, 0.81]}}, tuning={"trials": 3})
    assert at_which_rates(once).startswith("All this holds at rates that were tuned once")
    often = table({"random": {A: [0.8, 0.81]}}, tuning={"trials": 3, "repeats": 2})
    assert at_which_rates(often).startswith("The rates were tuned 2 times")
    twice = [replace(run, run=f"again/{run.run}", client_rate=0.3) for run in grid.records.runs]
    picked = sort(replace(grid.records, runs=(*grid.records.runs, *twice)))
    assert at_which_rates(picked).startswith("Rates were picked on the runs that are judged")
