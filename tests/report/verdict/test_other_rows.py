"""What is claimed is claimed of the test rows that all seeds share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from headstart.report.judgement.reading import Reading
from headstart.report.publication.summary import verdict_of
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.other_rows import judged_on, measured_on
from headstart.report.verdict.verdict import Verdict
from headstart.tables import BaselineRow

Table = Callable[..., Grid]
A = "sgd + adam"
NEAR = {"random": {A: [0.870, 0.871, 0.869, 0.87]}, "proxy": {A: [0.890, 0.891, 0.889, 0.89]}}


def of_rows(grid: Grid, rows: int, rule: str = "") -> Grid:
    """The same study, judged on so many rows."""
    runs = tuple(replace(run, test_predictions=rows) for run in grid.records.runs)
    baselines: tuple[BaselineRow, ...] = ()
    if rule:
        baselines = (
            BaselineRow(
                task="t", baseline="constant", rule=rule, answer="a", accuracy=0.1, loss=1.0,
                predictions=rows - 1,
            ),
        )  # fmt: skip
    return sort(replace(grid.records, runs=runs, baselines=baselines))


def said(grid: Grid) -> Verdict:
    return Reading(Path("here"), grid).verdict


def test_a_lead_that_other_rows_could_undo_is_said_to_be_on_these(table: Table) -> None:
    """Of five tables of 200 test rows, all five intervals missed what is so of other rows."""
    found = said(of_rows(table(NEAR), 200, "majority"))
    assert found.where.claim == "Begin from proxy, on these test rows"
    assert "in final test accuracy on 199 rows, each with its best pair" in found.where.evidence
    assert found.other_rows is not None
    assert (found.other_rows.start, found.other_rows.against) == ("proxy", "random")
    assert found.other_rows.could_move == pytest.approx(1.96 * (0.2105 / 199) ** 0.5, rel=1e-2)
    assert found.headlines[-1] == (
        "The lead of proxy over random, 2 points, is smaller than what other test rows could "
        "change (up to about 6.4 points with 199 of them). A larger test part would tell; more "
        "seeds do not."
    )
    assert found.sure.endswith(
        "All of it is claimed of the 199 test rows that all seeds share: as many others could move "
        "the difference between proxy and random by up to about 6.4 points if rows are "
        "independent, less where both get the same ones right."
    )


def test_a_lead_that_no_other_rows_undo_is_claimed_as_it_is(table: Table) -> None:
    found = said(of_rows(table(NEAR), 20_000, "majority"))
    assert found.where.claim == "Begin from proxy"
    assert found.headlines == ()
    assert found.other_rows is not None
    assert not found.other_rows.could_undo
    assert "by up to about 0.64 points" in found.sure


def test_starts_that_are_level_are_so_on_these_rows_and_no_lead_is_told(table: Table) -> None:
    level = {"random": {A: [0.88, 0.881, 0.879] * 3}, "proxy": {A: [0.88, 0.881, 0.88] * 3}}
    found = said(of_rows(table(level), 300, "majority"))
    assert found.where.claim == "Either start will do, on these test rows"
    assert found.headlines == ()


def test_a_start_that_is_no_worse_claims_no_lead_that_other_rows_could_undo(table: Table) -> None:
    ends = {
        "random": {A: [0.879, 0.880, 0.881, 0.880, 0.879, 0.881] * 2},
        "proxy": {A: [0.925, 0.865, 0.924, 0.866, 0.926, 0.864] * 2},
    }
    found = said(of_rows(table(ends, margin=2), 300, "majority"))
    assert found.where.claim == "Nothing is lost by beginning from proxy, on these test rows"
    assert found.headlines == ()


def test_what_is_not_decided_has_no_caution(table: Table) -> None:
    wide = {"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}}
    found = said(of_rows(table(wide), 200))
    assert found.where.claim == "It is not decided where to begin"
    assert found.headlines == ()
    assert "test accuracy on 200 predictions with the best pair of each" in found.where.evidence


def test_tokens_and_validation_rows_go_by_their_names(table: Table) -> None:
    tokens = of_rows(table(NEAR), 5001, "unigram")
    assert str(judged_on(tokens)) == "5,000 test tokens"
    held_out = of_rows(table(NEAR, evaluate_on="validation"), 11, "mean")
    assert measured_on(held_out) == "validation accuracy on 10 rows"
    assert (judged_on(table(NEAR)), measured_on(table(NEAR))) == (None, "test accuracy")


def test_a_lead_over_several_starts_is_that_over_the_nearest_that_is_behind(table: Table) -> None:
    starts = NEAR | {"hub": {A: [0.70, 0.71, 0.69, 0.7]}}
    found = said(of_rows(table(starts), 200)).other_rows
    assert found is not None
    assert found.against == "random"
    assert found.lead == pytest.approx(0.02)


def test_programs_read_it_as_numbers(table: Table) -> None:
    written = verdict_of(said(of_rows(table(NEAR), 201, "majority")))["other_rows"]
    assert written == {
        "start": "proxy", "against": "random", "lead": 0.02, "could_move": 0.0636611,
        "could_undo": True, "number": 200, "part": "test", "unit": "row",
    }  # fmt: skip
    assert verdict_of(said(table(NEAR)))["other_rows"] is None
