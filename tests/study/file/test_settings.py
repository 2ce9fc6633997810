"""A setting of all runs of a study is declared once: as a key of the file, a field of a run, and by what it marks."""

from dataclasses import fields

import pytest

from headstart.errors import HeadstartError
from headstart.study.file.keys import StudyFile
from headstart.study.file.run_spec import LATER, PLACEMENT, RunSpec
from headstart.study.file.settings import RunSettings
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
    assert {"device": "cpu", "baseline": "none", "client_rate_by_round": "constant"}.items() <= LATER.items()
    assert {"data_mib", "keep_weights"} == PLACEMENT


def test_a_resolved_study_has_what_runs_are_set_to_between_its_grid_and_its_probes() -> None:
    text = Study(task="digits", model="mlp", population=5, cohort=2).resolved()
    names = [line.partition(":")[0] for line in text.splitlines() if line[0] not in "#- "]
    assert names[:4] == ["name", "title", "task", "model"]
    assert names[names.index("cohort") + 1 : names.index("probes")] == [
        field.name for field in fields(RunSettings) if field.default is not None
    ]
