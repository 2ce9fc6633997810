"""A setting of all runs of a study is declared once: as a key of the file, a field of a run,
and by what it marks.
"""

from dataclasses import fields

import pytest
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.study.file.keys import StudyFile
from headstart.study.file.run_spec import LATER, PLACEMENT, RunSpec
from headstart.study.file.settings import PerRun, RunSettings
from headstart.study.spec import Study

SETTINGS = {field.name for field in fields(RunSettings)}


@pytest.mark.parametrize("declares", [StudyFile, RunSpec])
def test_it_is_declared_once(declares: type) -> None:
    assert SETTINGS & set(declares.__annotations__) == set()


def test_a_run_has_what_the_file_says_and_else_its_default() -> None:
    written = {"weighting": "uniform", "every": 3, "data_mib": 7}
    (run,) = Study(task="digits", model="mlp", population=5, cohort=2, seeds=[0], **written).runs
    defaults = {field.name: field.default for field in fields(RunSettings)}
    assert {name: getattr(run, name) for name in SETTINGS} == defaults | written


def test_its_bounds_hold_for_the_file() -> None:
    with pytest.raises(HeadstartError, match=r"^batch_size: expected a whole number >= 1, got 0$"):
        Study(task="digits", model="mlp", batch_size=0)


def test_what_is_marked_is_left_out_of_keys() -> None:
    assert {
        "device": "cpu",
        "baseline": "none",
        "client_rate_by_round": "constant",
    }.items() <= LATER.items()
    assert {"data_mib", "keep_weights"} == PLACEMENT


def test_a_resolved_study_has_what_runs_are_set_to_between_its_grid_and_its_probes() -> None:
    text = Study(task="digits", model="mlp", population=5, cohort=2).resolved()
    names = [line.partition(":")[0] for line in text.splitlines() if line[0] not in "#- "]
    assert names[:4] == ["name", "title", "task", "model"]
    assert names[names.index("cohort") + 1 : names.index("probes")] == [
        field.name for field in fields(RunSettings) if field.default is not None
    ]


def test_what_a_run_needs_of_a_node_changes_no_run_and_stands_in_the_study_where_it_is_said() -> (
    None
):
    plain, said = study(), study(per_run={"cpus": 2, "gpus": 0.25})
    assert [run.key for run in said.runs] == [run.key for run in plain.runs]
    assert "per_run" not in plain.resolved()
    assert "per_run:\n  cpus: 2.0\n  gpus: 0.25\n" in said.resolved()


@pytest.mark.parametrize(
    ("per_run", "node", "room"),
    [
        ({}, {"CPU": 2.0}, 2),
        ({"cpus": 0.1}, {"CPU": 1.0}, 10),
        ({"cpus": 2}, {"CPU": 5.0}, 2),
        ({"gpus": 0.25}, {"CPU": 8.0, "GPU": 1.0}, 4),
        ({"gpus": 1}, {"CPU": 8.0}, 0),
    ],
)
def test_a_node_has_room_for_what_fits(
    per_run: dict[str, float], node: dict[str, float], room: int
) -> None:
    assert PerRun(**per_run).fits(node) == room


@pytest.mark.parametrize(
    ("per_run", "message"),
    [
        ({"cpus": 0}, "per_run.cpus: "),
        ({"cpus": 1.5}, "per_run.cpus: expected a whole number, or a part of one, got 1.5"),
        ({"gpus": -1}, "per_run.gpus: "),
        ({"memory": 1}, "per_run"),
    ],
)
def test_what_ray_could_not_give_is_refused(per_run: dict[str, float], message: str) -> None:
    with pytest.raises(HeadstartError) as refused:
        study(per_run=per_run)
    assert str(refused.value).startswith(message)
