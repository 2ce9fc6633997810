"""The whole verdict of a study: one sentence for each question that a team has."""

from collections.abc import Callable
from pathlib import Path

from headstart.looks.plans import going_on, plan_of
from headstart.looks.record import Record, table_of
from headstart.report.judgement.reading import Reading, read
from headstart.report.runs.grid import Grid

from ..conftest import rewrite

Table = Callable[..., Grid]
A, B = "sgd + adam", "sgd + sgd"


def test_every_question_has_its_sentence(study: Callable[..., Path]) -> None:
    folder = study("contrary")
    said = read(folder).verdict
    assert said.where.claim == "Begin from random"
    assert said.which.claim.startswith("It is not decided with what; avoid")
    assert said.start == "random"
    assert said.sure.startswith("In 95% of such studies")
    assert said.cost.startswith("FedAdam from random costs 12 rounds")
    assert said.why.startswith("From random, against proxy, it learns in fewer rounds")
    assert "would decide with what" in said.outlook.sentence
    assert said.outlook.command.startswith(
        f"headstart run {folder.name}/study.yaml --out {folder.name} --until decided"
    )
    assert said.choice is not None
    assert (said.choice.start, str(said.choice.pair)) == ("random", A)
    assert said.text == str(said) == f"{said.where.text} {said.which.text}"


def test_the_gain_is_over_the_nearest_other_start(table: Table) -> None:
    starts = {
        "random": {A: [0.80, 0.81, 0.82]},
        "proxy": {A: [0.90, 0.91, 0.921]},
        "hub": {A: [0.70, 0.71, 0.722]},
    }
    said = Reading(Path("here"), table(starts)).verdict
    assert said.against == "random"
    assert said.gain is not None
    assert abs(said.gain.value - 0.1003) < 1e-3
    alone = Reading(Path("here"), table({"random": {A: [0.80, 0.81, 0.82]}})).verdict
    assert (alone.gain, alone.against) == (None, None)


def test_nothing_is_left_out_where_nothing_can_be_said(table: Table) -> None:
    for runs in ({A: [None, None]}, {A: [0.5]}, {A: [0.5, None]}):
        said = Reading(Path("here"), table({"random": runs, "proxy": runs})).verdict
        assert not said.where.decided
        assert not said.which.decided
        assert said.start == "random"


def test_looks_that_were_taken_count_where_a_study_grew(study: Callable[..., Path]) -> None:
    """Three seeds were one planned look, which spent 4 of the 5 %; two more share what is left."""
    folder = study(seeds=(0, 1, 2, 3, 4))
    before, asked = plan_of({"seeds": [0, 1, 2]}), plan_of({"seeds": [0, 1, 2, 3, 4]})
    record = Record(asked, going_on(asked, before, 1), 1)
    rewrite(folder, looks=table_of(record, None))
    grid = read(folder).grid
    assert grid.decided.plan.looks.seeds == (3, 5)
    assert [found.seeds for found in grid.decided.decisions][-1:] in ([3], [5])
    assert "look" in read(folder).verdict.sure
    assert grid.decided.plan.looks.spent[0] == before.looks.spent[0]


def test_a_name_with_a_line_of_its_own_stays_in_one(table: Table) -> None:
    runs = {"random": {A: [0.80, 0.81, 0.82]}, "my\nstart": {A: [0.90, 0.91, 0.921]}}
    said = Reading(Path("here"), table(runs)).verdict
    assert "my\nstart" in said.where.text
    assert all("\n" not in line for line in said.lines)
    assert "my start" in said.lines[0]
