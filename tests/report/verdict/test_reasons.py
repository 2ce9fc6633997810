"""Why: what the panels answered for a start, and against it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headstart.paper.findings import Says
from headstart.report.panels.base import Answer, Panel
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.reasons import CLAUSES, by_how_much, reasons
from headstart.report.verdict.sentences import Sentence
from headstart.statistics.intervals import Estimate

Table = Callable[..., Grid]
A = "sgd + adam"
PROXY, RANDOM = (
    Sentence(True, "", "", ("proxy",), ("random",)),
    Sentence(True, "", "", ("random",), ("proxy",)),
)
EITHER = Sentence(True, "", "", ("proxy", "random"))


def panel(slug: str, says: Says | None) -> Panel:
    answer = Answer(says, ".", f"d-{slug}")
    return Panel(slug, slug, answer, "", lambda figure, wide: None, (1.0, 1.0), "")


def test_answers_speak_for_the_second_start_where_they_say_yes(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}}, target_accuracy=0.8)
    panels = [
        panel("speedup", "yes"),
        panel("curvature", "no"),
        panel("alignment", "undecided"),
        panel("gd-vs-sgd", "yes"),
    ]
    assert reasons(grid, "proxy", panels, PROXY) == (
        "From proxy, against random, it learns in fewer rounds (d-speedup); but from random the "
        "loss is flatter where it begins (d-curvature)."
    )
    assert reasons(grid, "random", panels, RANDOM) == (
        "From random, against proxy, the loss is flatter where it begins (d-curvature); but from "
        "proxy it learns in fewer rounds (d-speedup)."
    )


def test_without_a_target_no_rounds_are_saved(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    assert reasons(grid, "proxy", [panel("speedup", "yes")], PROXY) == (
        "From proxy, against random, its accuracy is higher on average over the rounds (d-speedup)."
    )


def test_all_against_it_is_said_as_plainly(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    said = reasons(grid, "proxy", [panel("curvature", "no")], PROXY)
    assert said == (
        "No panel below says why: from random, which ends lower, the loss is flatter where it "
        "begins (d-curvature)."
    )


def test_without_answers_it_is_open(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    assert reasons(grid, "proxy", [panel("speedup", "undecided")], PROXY) == (
        "This study does not say: no panel below tells proxy from random."
    )
    assert reasons(table({"random": {A: [0.8, 0.81]}}), "random", [], Sentence(False, "")) == ""


def test_many_reasons_are_counted(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    said = reasons(grid, "proxy", [panel(slug, "yes") for slug in CLAUSES], PROXY)
    assert said.endswith("and 4 more.")


def test_a_difference_reads_the_right_way_round_from_either_start(table: Table) -> None:
    """A loss that was lower "(+2.69)" had been read off the other start."""
    grid = table({"random": {A: [0.9, 0.91]}, "proxy": {A: [0.8, 0.81]}})
    answer = Answer("no", ".", "+2.69", Estimate(-2.69, -2.71, -2.67, 3), unit="loss")
    lower = replace(panel("initial-loss", "no"), answer=answer)
    said = (
        "From random, against proxy, its loss is lower before the first round (by 2.69 [2.67, "
        "2.71])."
    )
    assert reasons(grid, "random", [lower], RANDOM) == said
    points = Answer("yes", ".", judged=Estimate(0.096, 0.076, 0.117, 3))
    assert by_how_much(points) == "by 9.6 points [7.6, 11.7]"
    flatter = Answer(
        "yes",
        ".",
        judged=Estimate(np.log(2.0), np.log(1.5), np.log(4.0), 3),
        unit="logarithm of the ratio",
    )
    assert by_how_much(flatter) == "2.0 times [1.5, 4.0]"


def test_what_does_not_matter_is_no_reason(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    answer = Answer("yes", ".", judged=Estimate(0.015, 0.01, 0.02, 3), unit="loss", margin=0.02)
    said = reasons(grid, "proxy", [replace(panel("initial-loss", "yes"), answer=answer)], PROXY)
    assert said == "This study does not say: no panel below tells proxy from random."


def test_where_no_start_is_ahead_nothing_is_explained(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}}, target_accuracy=0.8)
    said = reasons(grid, "proxy", [panel("speedup", "yes")], EITHER)
    assert said == (
        "Neither proxy nor random is shown to end higher. From proxy it learns in fewer rounds "
        "(d-speedup)."
    )


def test_a_start_that_does_harm_is_explained(table: Table) -> None:
    """Of three starts the panels compare two; the third begins sure of wrong answers."""
    grid = table({"random": {A: [0.9, 0.91]}, "proxy": {A: [0.89, 0.9]}, "wrong": {A: [0.5, 0.51]}})
    curves = {}
    for run in grid.records.runs:
        loss = 14.2 if run.start == "wrong" else 1.4
        for metric, value in (("test_loss", loss), ("test_accuracy", 0.1 / loss)):
            curves[run.run, metric] = np.array([0, 4]), np.array([value, 0.5])
    measured = sort(replace(grid.records, curves=curves))
    where = Sentence(True, "", "", ("random", "proxy"), ("wrong",))
    assert reasons(measured, "random", [], where).endswith(
        "From wrong there is something to unlearn: before the first round the loss is 14.20 "
        "(0.7% right), from random 1.40 (7.1% right)."
    )
