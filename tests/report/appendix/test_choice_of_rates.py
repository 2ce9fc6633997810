"""What is said of how rates were chosen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headstart.report.appendix import choice_of_rates
from headstart.report.judgement.cautions import cautions
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

PAIR = {"sgd + adam": [0.5, 0.6, 0.7]}
MakeTable = Callable[..., Grid]


def test_a_tuning_that_was_done_once_is_said(table: MakeTable) -> None:
    once, never = table({"random": PAIR}, tuning={}), table({"random": PAIR})
    often = table({"random": PAIR}, tuning={"repeats": 3})
    assert choice_of_rates.tuned_once(once).startswith(
        "All intervals are at these rates: they were tuned once"
    )
    assert cautions(once, None).of_rates == [choice_of_rates.tuned_once(once)]
    assert choice_of_rates.tuned_once(often) == choice_of_rates.tuned_once(never) == ""


def test_seeds_of_few_repeats_are_few_results(table: MakeTable) -> None:
    seeds = {"sgd + adam": [0.5, 0.6, 0.7, 0.6]}
    twice = table({"random": seeds}, tuning={"repeats": 2})
    assert twice.independent == 2
    assert cautions(twice, None).few_seeds.startswith(
        "Two repeats of the tuning give very wide intervals"
    )
    often = table({"random": seeds}, tuning={"repeats": 3})
    assert (often.independent, cautions(often, None).few_seeds) == (3, "")
    each = table({"random": seeds}, tuning={"repeats": 7})
    assert (each.independent, table({"random": seeds}, tuning={}).independent) == (4, 4)


def test_rates_that_judged_runs_picked_are_said(study: Callable[..., Path]) -> None:
    picked = cautions(sort(tables.read(study("tuning"))), None)
    assert picked.picked_on_test.startswith(
        "The rates are the best of up to 2 by the test accuracy that judges them:"
    )
    assert picked.picked_on_test in picked.sentences
    assert cautions(sort(tables.read(study("clear"))), None).picked_on_test == ""


def test_rows_of_rates_that_test_results_chose_are_said(table: MakeTable) -> None:
    rows = [{"client_rate": 0.1, "server_rate": 0.1, "chosen_on": "test"}]
    said = choice_of_rates.picked_on_test(table({"random": PAIR}, rates=rows))
    assert said.startswith(
        "The rates were chosen in another study by test accuracy, which judges them here"
    )
    assert (
        choice_of_rates.picked_on_test(
            table({"random": PAIR}, rates=rows, evaluate_on="validation")
        )
        == ""
    )
    assert (
        choice_of_rates.picked_on_test(
            table({"random": PAIR}, rates=[{**rows[0], "chosen_on": "validation"}])
        )
        == ""
    )


def test_more_rates_from_one_start_are_said_once_the_study_is_whole(
    study: Callable[..., Path],
) -> None:
    results = tables.read(study("tuning"))
    runs = tuple(run for run in results.runs if run.start == "random" or run.client_rate == 0.1)
    said = choice_of_rates.unequal(sort(replace(results, runs=runs)))
    assert said.startswith(
        "Not every start was tried at as many rates (2 rates from random and 1 from proxy)"
    )
    assert choice_of_rates.unequal(sort(results)) == ""
    assert (
        choice_of_rates.unequal(sort(replace(results, runs=runs, planned=len(results.runs)))) == ""
    )


def test_judged_seeds_that_were_tuned_on_are_said(table: MakeTable) -> None:
    def said(seeds: list[int]) -> str:
        return choice_of_rates.tuned_on_judged(table({"random": PAIR}, tuning={"seeds": seeds}))

    assert said([0]) == "Seed 0 was tuned on and is judged, too, at rates that suit it best."
    assert (
        said([2, 7, 1])
        == "Seeds 1 and 2 were tuned on and are judged, too, at rates that suit them best."
    )
    assert said([1000000]) == choice_of_rates.tuned_on_judged(table({"random": PAIR})) == ""
