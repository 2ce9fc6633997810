"""How runs are sorted into cells."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headstart.looks.competitors import Pair
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

MakeStudy = Callable[..., Path]
DIR = "dirichlet(alpha=0.1)"


def read(folder: Path) -> Grid:
    return sort(tables.read(folder))


def test_what_a_record_says_in_words_of_a_user_is_printable(study: MakeStudy) -> None:
    results = tables.read(study())
    evil = "features: a\x1b[2J"
    runs = tuple(
        replace(run, data=evil, begun_with=evil, executor_fallback=evil) for run in results.runs
    )
    run = sort(replace(results, runs=runs)).records.runs[0]
    assert {run.data, run.begun_with, run.executor_fallback} == {r"features: a\x1b[2J"}


def test_random_is_first_in_whatever_order_starts_come(study: MakeStudy) -> None:
    assert read(study(starts=("proxy", "random", "zero"))).starts == ("random", "proxy", "zero")


def test_tuning_takes_the_best_rate_and_keeps_the_others(study: MakeStudy) -> None:
    found = read(study("tuning"))
    key = ("random", Pair("sgd", "adam"), found.base)
    chosen, *others = found.rates[key]
    assert found.cells[key] is chosen
    assert [cell.mean for cell in others] == sorted((cell.mean for cell in others), reverse=True)
    assert chosen.mean > others[0].mean


def test_rates_of_several_tunings_are_no_choice_among_them(study: MakeStudy) -> None:
    """Every seed has the rates of its repeat: all of them are one cell,
    and parameters one competitor.
    """
    results = tables.read(study(tuning={"repeats": 3}))

    def tuned(run: tables.Run) -> tables.Run:
        mu = f"proximal(mu={run.seed + 1})"
        return replace(
            run, client=mu if "mu" in run.client else run.client, client_rate=0.1 * (run.seed + 1)
        )

    found = sort(replace(results, runs=tuple(map(tuned, results.runs))))
    key = ("random", Pair("proximal", "adam"), found.base)
    assert found.cells[key].seeds == {0, 1, 2}
    assert len(found.rates[key]) == 1


def test_a_rate_that_diverges_is_not_chosen(study: MakeStudy) -> None:
    found = read(
        study("tuning", diverge=lambda row: row["client_rate"] == 0.1 and row["seed"] == 0)
    )
    cell = found.cell("random", Pair("sgd", "adam"))
    assert cell.runs[0].client_rate == 0.03


def test_parameters_tuned_by_start_are_one_competitor(study: MakeStudy) -> None:
    """proximal(mu=0.1) from random meets proximal(mu=1) from proxy;
    two variants side by side stay two.
    """
    folder = study()
    results = tables.read(folder)

    def tuned(run: tables.Run, everywhere: bool) -> tables.Run:
        change = run.client.startswith("proximal") and (
            run.start == "proxy" or (everywhere and run.server == "adam")
        )
        return type(run)(**{**run.__dict__, "client": "proximal(mu=1)"}) if change else run

    runs = tuple(tuned(run, False) for run in results.runs)
    found = sort(tables.Records(results.settings, runs, {}, folder))
    assert Pair("proximal", "adam") in found.pairs()
    both = tuple(
        type(run)(**{**run.__dict__, "client": "proximal(mu=1)"})
        for run in results.runs
        if "mu" in run.client
    )
    found = sort(tables.Records(results.settings, results.runs + both, {}, folder))
    assert {"proximal(mu=0.1)", "proximal(mu=1)"} <= {pair.client for pair in found.pairs()}
