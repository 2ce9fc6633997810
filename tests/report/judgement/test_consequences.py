"""A test for each rule that follows the verdict, on tables that are clear,
contrary and undecided.
"""

from collections.abc import Callable
from dataclasses import replace

from headstart.looks.competitors import Pair
from headstart.report.judgement.consequences import what_is_open, when_it_would_flip
from headstart.report.panels.base import Answer, Panel
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

Table = Callable[..., Grid]
ADAM, SGD = "sgd + adam", "sgd + sgd"
PAIR = Pair("sgd", "adam")
ORDER = "With FedAdam, the order of the starts"


def both(table: Table, proxy_when_uneven: list[float]) -> Grid:
    """proxy is about 10 points ahead on equal devices; on uneven ones random has 0.80, 0.81,
    0.82.
    """
    base = table(
        {
            "random": {ADAM: [0.80, 0.81, 0.82], SGD: [0.7] * 3},
            "proxy": {ADAM: [0.90, 0.91, 0.92], SGD: [0.7] * 3},
        }
    )
    uneven = table({"random": {ADAM: [0.80, 0.81, 0.82]}, "proxy": {ADAM: proxy_when_uneven}})
    runs = [
        replace(run, run=f"uneven/{run.run}", devices="uneven-epochs")
        for run in uneven.records.runs
    ]
    return sort(replace(base.records, runs=(*base.records.runs, *runs)))


def test_a_setting_in_which_the_other_start_is_ahead_flips_the_verdict(table: Table) -> None:
    said = when_it_would_flip(both(table, [0.70, 0.711, 0.719]), "proxy", PAIR)
    assert said.startswith(
        f"{ORDER} would flip in 1 of the comparisons in 1 other setting: from random it is +10.0 "
        "points"
    )
    assert "uneven-epochs" in said


def test_a_setting_in_which_the_same_start_is_ahead_does_not(table: Table) -> None:
    said = when_it_would_flip(both(table, [0.90, 0.91, 0.93]), "proxy", PAIR)
    assert said == f"{ORDER} does not flip in 1 other setting of this study."


def test_a_setting_that_leans_the_other_way_is_told_as_not_shown(table: Table) -> None:
    said = when_it_would_flip(both(table, [0.70, 0.90, 0.79]), "proxy", PAIR)
    assert said.startswith(
        f"{ORDER} is not shown to flip in 1 other setting of this study, but could with"
    )


def test_a_study_of_one_setting_says_nothing_of_flips(table: Table) -> None:
    study = table({"random": {ADAM: [0.8, 0.8]}, "proxy": {ADAM: [0.9, 0.9]}})
    assert when_it_would_flip(study, "proxy", PAIR) == ""


def panel(says: str) -> Panel:
    return Panel(
        "slug",
        f"Is it {says}?",
        Answer(says, "."),  # type: ignore[arg-type]
        "",
        lambda figure, wide: None,
        (1.0, 1.0),
        "",
    )


def test_open_are_the_undecided_panels() -> None:
    assert what_is_open([panel("yes"), panel("undecided")]) == "Open: “Is it undecided?”."
    assert what_is_open([panel("yes"), panel("no")]) == ""
