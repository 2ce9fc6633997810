"""Where processes cannot share memory, a study is run in one, and says so."""

import multiprocessing
from pathlib import Path

import pytest

from headstart.forks import cannot_share
from headstart.study.runner import run_study
from headstart.study.spec import Study


def test_processes_can_share_here() -> None:
    assert cannot_share() == ""


def test_a_study_without_shared_memory_is_run_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(multiprocessing, "Lock", read_only)
    study = Study(task="digits", model="logistic", rounds=1, seeds=[0, 1], population=10, cohort=2, executor="loop")
    lines: list[str] = []
    out = Path(run_study(study, tmp_path / "out", jobs=2, tell=lines.append))
    assert lines == [
        "several processes need a /dev/shm that can be written (Read-only file system); the study is run in one"
    ]
    assert len(list(out.glob("runs/*/run.json"))) == 2
