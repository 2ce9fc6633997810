"""What is left to look for, and the command that looks for it."""

import re
from collections.abc import Callable
from dataclasses import replace

from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.headlines import Headlines
from headstart.report.verdict.outlook import outlook

Table = Callable[..., Grid]
A, B = "sgd + adam", "sgd + sgd"
NONE = Headlines()


def test_an_open_study_gets_a_number_of_seeds_its_chance_and_a_command(table: Table) -> None:
    random, proxy = [0.80, 0.82, 0.81, 0.80], [0.83, 0.82, 0.83, 0.81]
    grid = table({"random": {A: random}, "proxy": {A: proxy}})
    found = outlook(grid, "proxy", "my out", NONE)
    said = re.fullmatch(
        r"(\d+) more seeds would decide where to begin with a chance of about [78]\d%, if it is as "
        r"measured\.",
        found.sentence,
    )
    assert said is not None
    total = 4 + int(said[1])
    assert (
        found.command
        == f"headstart run 'my out'/study.yaml --out 'my out' --until decided --at-most {total}"
    )


def test_seeds_that_are_not_counted_from_0_are_listed(table: Table) -> None:
    random, proxy = [0.80, 0.82, 0.81, 0.80], [0.83, 0.82, 0.83, 0.81]
    grid = table({"random": {A: random}, "proxy": {A: proxy}})
    runs = tuple(replace(run, seed=run.seed + 7) for run in grid.records.runs)
    grid = sort(
        replace(grid.records, runs=runs, settings={**grid.records.settings, "seeds": [7, 8, 9, 10]})
    )
    found = outlook(grid, "proxy", "out", NONE)
    assert found.sentence.endswith("if it is as measured. List them in the study file.")
    assert found.command == "headstart run out/study.yaml --out out"


def test_where_seeds_are_too_many_it_says_what_is_at_stake(table: Table) -> None:
    """The noise is forty times the lead: rather take what leads, and know what that may cost."""
    random, proxy = [0.80, 0.90, 0.70, 0.81, 0.85, 0.80], [0.90, 0.80, 0.71, 0.80, 0.80, 0.86]
    grid = table({"random": {A: random}, "proxy": {A: proxy}})
    found = outlook(grid, "proxy", "out", NONE)
    assert found.command == ""
    assert found.sentence.startswith(
        "Even 34 more seeds would decide where to begin only with a chance of "
    )
    last = grid.decided.last
    assert last is not None
    stake = 100 * last.starts[0, 1].most
    assert found.sentence.endswith(
        f"takes what leads, proxy with FedAdam, and loses {stake:.3g} points at the most."
    )


def test_where_the_error_is_spent_no_seeds_of_this_folder_are_promised(table: Table) -> None:
    """The page said "about 368 more seeds would decide" after the last planned look,
    when no number can.
    """
    random, proxy = [0.80, 0.82, 0.81, 0.80], [0.83, 0.82, 0.83, 0.80]
    until = {"until": "decided", "first": 3, "at_most": 4}
    found = outlook(
        table({"random": {A: random}, "proxy": {A: proxy}}, seeds=until), "proxy", "out", NONE
    )
    assert found.command == ""
    assert found.sentence.startswith(
        "Of the 5% that this study may err by nothing is left, so that further seeds in this "
        "folder decide nothing. A new folder with other seeds can: "
    )
    assert "listed beforehand (seeds: [4, ..., " in found.sentence


def test_a_study_tuned_a_few_times_is_told_how_many_tunings_decide(table: Table) -> None:
    random, proxy = [0.80, 0.82, 0.81, 0.80], [0.83, 0.82, 0.83, 0.80]
    grid = table({"random": {A: random}, "proxy": {A: proxy}}, tuning={"repeats": 2})
    found = outlook(grid, "proxy", "out", NONE)
    assert found.command == ""
    assert found.sentence.startswith(
        "A new folder with 40 tunings (tuning.repeats: 40, and as many seeds) would decide"
    )


def test_a_study_that_has_decided_has_nothing_left(table: Table) -> None:
    random, proxy = (
        {A: [0.80, 0.81, 0.82], B: [0.5, 0.51, 0.52]},
        {A: [0.90, 0.91, 0.921], B: [0.5, 0.51, 0.521]},
    )
    found = outlook(table({"random": random, "proxy": proxy}), "proxy", "out", NONE)
    assert found.sentence == (
        "No more seeds are needed: nothing is better than what is named here by more than 0.5 "
        "points."
    )
    assert found.command == ""
    alone = outlook(table({"random": random}), "random", "out", NONE)
    assert str(alone) == "A second start in the study file would tell where to begin."


def test_a_look_that_lacks_runs_goes_on_with_the_same_command(table: Table) -> None:
    runs = {"random": {A: [0.8, 0.81]}, "proxy": {A: [0.8, 0.81]}}
    found = outlook(table(runs, seeds=[0, 1, 2]), "random", "out", NONE)
    assert found.command == "headstart run out/study.yaml --out out"
    assert found.sentence == "The same command goes on to the first look."
    alone = outlook(table({"random": {A: [0.8]}, "proxy": {A: [0.8]}}), "random", "out", NONE)
    assert alone.command == "headstart run out/study.yaml --out out --until decided"


def test_a_study_until_decided_goes_on_with_the_same_command(table: Table) -> None:
    random, proxy = [0.80, 0.85, 0.90], [0.91, 0.84, 0.82]
    grid = table(
        {"random": {A: random}, "proxy": {A: proxy}},
        seeds={"until": "decided", "first": 3, "at_most": 9},
    )
    found = outlook(grid, "proxy", "out", NONE)
    assert found.sentence == "The next look needs 2 runs more; the same command goes on."
    assert found.command == "headstart run out/study.yaml --out out"


def test_headlines_come_before_seeds(table: Table) -> None:
    grid = table({"random": {A: [0.80, 0.82, 0.81]}, "proxy": {A: [0.83, 0.82, 0.83]}}, rounds=20)
    assert outlook(grid, "proxy", "out", Headlines(constant="nothing")).sentence == ""
    untrained = outlook(grid, "proxy", "out", Headlines(untrained="nothing")).sentence
    assert "more seeds would decide where to begin" in untrained
    rising = outlook(grid, "proxy", "out", Headlines(rising="it rises"))
    assert rising.sentence == (
        "First raise the rounds (rounds: 40) in the study file; seeds come after. At 3 seeds it is "
        "not decided where to begin."
    )


def test_a_study_ends_where_further_seeds_would_hardly_decide_it(table: Table) -> None:
    """Level starts whose noise is forty times the margin: the two seeds that are planned will not
    tell.
    """
    random, proxy = [0.80, 0.90, 0.70, 0.81], [0.90, 0.80, 0.71, 0.80]
    until = {"until": "decided", "first": 4, "at_most": 6}
    grid = table({"random": {A: random}, "proxy": {A: proxy}}, seeds=until)
    last = grid.decided.last
    assert last is not None
    assert last.hopeless
    found = outlook(grid, "proxy", "out", NONE)
    assert (grid.decided.is_over, grid.decided.spared, grid.decided.missing) == (True, 2, 0)
    ended = (
        "It ended at 4 seeds: 2 seeds more would not have decided it, but in one of 20 "
        "studies like it. "
    )
    assert found.sentence.startswith(ended)
    assert found.command == ""
