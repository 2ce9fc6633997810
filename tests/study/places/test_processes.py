"""Processes that carry out runs: what those that begin afresh are given."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.results.study_results import load
from headstart.study.places import processes
from headstart.study.runner import run_study
from headstart.study.spec import Study

OWN_TASK = """
from dataclasses import replace
from headstart.tasks.base import classification
from headstart.tasks.digits import digits
def loss(predictions, targets):
    return classification(predictions, targets)
def task():
    return replace(digits(), objective=loss)
"""


@pytest.mark.slow
def test_workers_that_begin_afresh_are_sent_a_task_with_a_loss_beside_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "task_of_test.py").write_text(OWN_TASK)
    study: dict[str, Any] = {
        "task": "task_of_test:task",
        "model": "logistic",
        "seeds": [0, 1],
        "rounds": 1,
    }
    study |= {"population": 4, "cohort": 2, "probes": "evaluation"}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    monkeypatch.setattr(processes, "cannot_fork", lambda device: "must not")
    for jobs in (2, 1):
        run_study(Study.load(tmp_path / "study.yaml"), tmp_path / str(jobs), jobs=jobs)
    assert load(tmp_path / "2").rounds.equals(load(tmp_path / "1").rounds)
