"""What `headstart check` prints of a study: its grid, its runs, and what is worth a note."""

import os

import pytest

from headstart.study.check import check
from headstart.study.spec import Study
from headstart.tools.estimate import HOW
from headstart.tools.outline import outline
from headstart.tools.power import UNKNOWN
from headstart.wording.phrases import duration

KEYS = {"task": "digits", "model": "logistic", "population": 10, "cohort": 3, "rounds": 2}


def lines(**keys: object) -> list[str]:
    study = Study(**{**KEYS, **keys})
    return list(outline(study, check(study), UNKNOWN))


def test_the_grid_is_told_axis_by_axis_and_the_time_last() -> None:
    told = lines(clients=["sgd", "proximal(mu=0.5)"], local_epochs=[2, 1], seeds=[0, 1, 2])
    assert "clients       sgd, proximal(mu=0.5)" in told
    assert "local epochs  1, 2" in told
    assert "12 runs of 2 rounds, 3 of 10 clients a round" in told
    assert not [line for line in told if "note:" in line]
    assert told[-2].endswith(f"in {os.cpu_count()}, without pre-training")
    assert told[-1] == f"({HOW})"


def test_what_decides_nothing_or_is_not_tuned_gets_a_note() -> None:
    told = lines(servers=["adam"], seeds=[4], baselines=["centralised"])
    assert "runs of baselines: 1 of all rows in one place" in told
    assert "note: 1 seed decides nothing; run 3 or more" in told
    assert [
        line for line in told if line.startswith("note: adam adapts, and its rate is not tuned")
    ]


def test_baselines_that_are_most_of_the_work_are_said_to_be() -> None:
    told = lines(clients=["sgd", "proximal(mu=0.5)"], seeds=[0, 1], baselines=["local"])
    assert "runs of baselines: 12 of one client each" in told
    assert [line for line in told if line.startswith("note: they are 3 times as many as the")]


def test_a_time_that_was_measured_on_a_busy_machine_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cores = os.cpu_count() or 1
    monkeypatch.setattr(os, "getloadavg", lambda: (cores + 7.0, 0.0, 0.0))
    said = f"(timed while {cores + 7} processes share {cores} cores: alone"
    assert lines()[-3].startswith(said)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.0, 0.0))
    assert not [line for line in lines() if line.startswith("(timed while")]


def test_searches_are_counted() -> None:
    told = lines(servers=["sgd", "adam"], tuning={"trials": 4})
    assert "tuning: 2 searches of 4 trials, 2 rounds at most each" in told


def test_durations_are_in_the_unit_that_fits() -> None:
    assert [duration(s) for s in (0.4, 99, 100, 5999, 6000)] == [
        "0 s",
        "99 s",
        "2 min",
        "100 min",
        "1.7 h",
    ]
