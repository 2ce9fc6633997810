"""What the choice costs: to the target where every run reaches it, else of whole runs."""

from collections.abc import Callable
from dataclasses import replace

from headstart.looks.competitors import Pair
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.cost import what_it_costs

Table = Callable[..., Grid]
ADAM, SGD = "sgd + adam", "sgd + sgd"


def priced(study: Grid) -> Grid:
    runs = tuple(
        replace(run, bytes_up=40_000_000, bytes_down=60_000_000, simulated_seconds=500.0)
        for run in study.records.runs
    )
    return sort(replace(study.records, runs=runs))


def cost(study: Grid) -> str:
    """What FedAdam costs from proxy."""
    return what_it_costs(study, study.cell("proxy", Pair("sgd", "adam")))


def test_the_cost_is_in_proportion_to_the_rounds_to_the_target(table: Table) -> None:
    """100 rounds send 100 MB and last 500 s; the target takes 20 of them in the median."""
    study = table({"proxy": {ADAM: [0.9, 0.91, 0.92]}}, rounds_to_target={"proxy": [10, 20, 40]})
    said = cost(priced(study))
    assert said.startswith(
        "FedAdam from proxy costs 20 rounds, 20 MB in all and 100 simulated seconds to 80%"
    )


def test_what_each_client_sends_is_told_where_the_cohort_is_known(table: Table) -> None:
    """100 MB in 100 rounds of ten clients: 0.1 MB for each of them in each round."""
    study = table({"proxy": {ADAM: [0.9, 0.91, 0.92]}}, cohort=10)
    assert "A client sends and receives 0.1 MB in each of its rounds." in cost(priced(study))
    of_many = table({"proxy": {ADAM: [0.9, 0.91, 0.92]}}, cohort=10, population=400)
    part = "A client takes part in 2.5 of them on average, and sends and receives 0.1 MB each time."
    assert part in cost(priced(of_many))


def test_a_target_that_is_missed_is_said_and_whole_runs_are_priced(table: Table) -> None:
    study = table({"proxy": {ADAM: [0.9, 0.91, 0.7]}}, rounds_to_target={"proxy": [10, 20, None]})
    said = cost(priced(study))
    assert "100 rounds, 100 MB in all and 500 simulated seconds for the whole run" in said
    assert "80% is reached by 2 of 3 runs" in said


def test_a_diverged_run_has_no_price(table: Table) -> None:
    assert cost(table({"proxy": {ADAM: [0.9, None, 0.7], SGD: [0.5, 0.6, 0.7]}})) == ""


def test_a_start_that_is_at_the_target_before_the_first_round_costs_its_whole_run(
    table: Table,
) -> None:
    """It was "is at 80% before the first round", which is no cost of what was recommended."""
    study = table(
        {"proxy": {ADAM: [0.9, 0.91, 0.92]}, "random": {ADAM: [0.8, 0.81, 0.82]}},
        rounds_to_target={"proxy": [0, 0, 0], "random": [10, 20, 40]},
    )
    said = cost(priced(study))
    assert said.startswith(
        "FedAdam from proxy costs 100 rounds, 100 MB in all and 500 simulated seconds for the "
        "whole run, in the median over seeds (80% is reached before the first round)."
    )
    assert " From random (FedAdam) it is 20 rounds and 20 MB to 80%. " in said


def test_the_cost_of_other_starts_stands_beside_it(table: Table) -> None:
    starts = {name: {ADAM: [0.9, 0.91, 0.92]} for name in ("proxy", "random", "hub")}
    alike = cost(priced(table(starts, target=None)))
    assert " From random (FedAdam) and hub (FedAdam) it is as many rounds and bytes. " in alike
    missed = table(starts, rounds_to_target={"proxy": [10, 20, 40], "hub": [0, 0, 0]})
    said = cost(priced(missed)).lower()
    assert "from hub (fedadam) 80% is there before the first round" in said
    assert "from random (fedadam) it is 100 rounds and 100 mb, without 80% in every run" in said


def test_how_closely_rounds_are_known_is_said(table: Table) -> None:
    study = table(
        {"proxy": {ADAM: [0.9, 0.91, 0.92]}}, rounds_to_target={"proxy": [10, 20, 40]}, every=5
    )
    assert "to 80% (accuracy was measured every 5 rounds), in the median" in cost(priced(study))
