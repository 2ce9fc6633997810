"""`run_study` and `write_report` look at what they are given before anything is begun."""

from pathlib import Path
from typing import Any

import pytest

import headstart
from headstart.errors import HeadstartError


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"out": 3}, "run_study: expected a folder for the results, got int"),
        ({"jobs": 0}, "jobs: expected a whole number >= 1, got 0"),
        ({"jobs": "2"}, "jobs: expected a whole number >= 1, got '2'"),
        ({"jobs": True}, "jobs: expected a whole number >= 1, got True"),
        ({"checkpoint_seconds": -1}, "checkpoint_seconds: expected a number >= 0, got -1"),
        (
            {"checkpoint_seconds": float("nan")},
            "checkpoint_seconds: expected a number >= 0, got nan",
        ),
        ({"checkpoint_seconds": None}, "checkpoint_seconds: expected a number >= 0, got None"),
        ({"watch": 3}, "watch: expected a function of an event, got int"),
    ],
)
def test_arguments_of_another_kind_get_one_line(tmp_path: Path, keys: Any, line: str) -> None:
    study = headstart.Study(task="digits", model="mlp", seeds=[0])
    with pytest.raises(HeadstartError) as caught:
        headstart.run_study(**{"study": study, "out": tmp_path / "out", **keys})
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("directory", "processes", "line"),
    [
        (3, 1, "write_report: expected the folder of a study, got int"),
        (".", 0, "processes: expected a whole number >= 1, got 0"),
        (".", True, "processes: expected a whole number >= 1, got True"),
    ],
)
def test_a_report_of_no_folder_gets_one_line(directory: Any, processes: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        headstart.write_report(directory, processes)
    assert str(caught.value) == line


def test_what_is_no_study_is_named() -> None:
    with pytest.raises(HeadstartError, match=r"^run_study: expected a study, as Study\(task="):
        headstart.run_study("study.yaml", "out")  # type: ignore[arg-type]


def test_a_run_ends_in_its_results_and_each_end_is_told(tmp_path: Path) -> None:
    study = headstart.Study(
        task="digits", model="logistic", population=10, cohort=2, rounds=1, seeds=[0, 1],
        executor="loop", client_rates=0.1, server_rates=1.0,
    )  # fmt: skip
    told: list[Any] = []
    results = headstart.run_study(study, tmp_path / "out", watch=told.append)
    assert [(one.done, one.total, one.status) for one in told] == [
        (1, 2, "finished"),
        (2, 2, "finished"),
    ]
    assert results.runs["seed"].to_pylist() == [0, 1]
