"""Why: what the panels answered for a start, and against it."""

from collections.abc import Callable

from headstart.paper.findings import Says
from headstart.report.panels.base import Answer, Panel
from headstart.report.runs.grid import Grid
from headstart.report.verdict.reasons import CLAUSES, reasons

Table = Callable[..., Grid]
A = "sgd + adam"


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
    assert reasons(grid, "proxy", panels) == (
        "From proxy, against random, it learns in fewer rounds (d-speedup); but from random the loss is flatter where "
        "it begins (d-curvature)."
    )
    assert reasons(grid, "random", panels) == (
        "From random, against proxy, the loss is flatter where it begins (d-curvature); but from proxy it learns in "
        "fewer rounds (d-speedup)."
    )


def test_without_a_target_no_rounds_are_saved(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    assert reasons(grid, "proxy", [panel("speedup", "yes")]) == (
        "From proxy, against random, its accuracy is higher on average over the rounds (d-speedup)."
    )


def test_all_against_it_is_said_as_plainly(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    said = reasons(grid, "proxy", [panel("curvature", "no")])
    assert said == "From random the loss is flatter where it begins (d-curvature)."


def test_without_answers_it_is_open(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    assert reasons(grid, "proxy", [panel("speedup", "undecided")]) == (
        "This study does not say: no panel below tells proxy from random."
    )
    assert reasons(table({"random": {A: [0.8, 0.81]}}), "random", []) == ""


def test_many_reasons_are_counted(table: Table) -> None:
    grid = table({"random": {A: [0.8, 0.81]}, "proxy": {A: [0.9, 0.91]}})
    said = reasons(grid, "proxy", [panel(slug, "yes") for slug in CLAUSES])
    assert said.endswith("and 4 more.")
