"""A run that fails is recorded with whose part it was, the study goes on,
and the next time it is tried again.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.study.conftest import of_ends

from headstart.report.runs.records import read
from headstart.study.folder import failed
from headstart.study.folder.store import Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study

PARTS = """
import torch
from torch import nn
from headstart.clients.base import ClientOptimizer
from headstart.servers.base import ServerOptimizer
from headstart.servers.sgd import sgd

def breaking(*, after: int = 1) -> ServerOptimizer:
    plain, rounds = sgd(), []
    def update(delta, state, x, rate):
        rounds.append(1)
        if len(rounds) > after:
            {what}
        return plain.update(delta, state, x, rate)
    return ServerOptimizer(plain.init, update)

class Net(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.flat, self.last, self.calls = nn.Flatten(), nn.Linear(64, outputs), []
    def forward(self, x):
        if torch.is_grad_enabled() and len(x) > 2:
            raise KeyError("no such layer")
        return self.last(self.flat(x))

def net(input_shape, outputs):
    return Net(outputs)
"""
STUDY = """
name: failing
task: digits
model: logistic
servers: [sgd, "parts:breaking"]
partitions: iid
population: 5
cohort: 2
batch_size: 100
rounds: 3
every: 3
seeds: [0, 1]
executor: {executor}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "parts.py").write_text(
        PARTS.replace("{what}", 'raise ValueError("no such moment\\nat all")')
    )
    (tmp_path / "study.yaml").write_text(STUDY.format(executor="loop"))
    return tmp_path / "study.yaml"


@pytest.mark.parametrize("executor", ["loop", "stacked(runs=4)"])
def test_the_others_go_on_and_what_failed_is_tried_again(file: Path, executor: str) -> None:
    """Also of runs that are computed at once, which end in the bits that they would have had."""
    file.write_text(STUDY.format(executor=executor))
    study, out, said = Study.load(file), file.parent / "out", []  # type: ignore[var-annotated]
    events: list[Any] = []
    run_study(study, out, watch=of_ends(events.append), tell=said.append)
    broken = [run for run in study.runs if ":" in run.server.name]
    assert {event.run.key for event in events if event.status.startswith("failed: ")} == {
        run.key for run in broken
    }
    assert all(Folder(out).is_done(run.key) == (run not in broken) for run in study.runs)
    (line,) = said
    assert line.startswith(
        "2 of 4 runs failed (server optimizer 'parts:breaking' (parts.py, line 13) raised Valu"
    )
    results = read(out)
    assert results.failed.keys() == {run.key for run in broken}
    assert len(results.runs) == 2


@pytest.mark.slow
def test_the_page_counts_them_until_the_part_is_mended(file: Path) -> None:
    """A module that no run has ended with may change; what it fails with is exit status 1."""
    out = file.parent / "out"
    command = [
        sys.executable,
        "-m",
        "headstart",
        "run",
        str(file),
        "--out",
        str(out),
        "--jobs",
        "1",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "2 of 4 runs failed (server optimizer 'parts:breaking'" in ended.stderr
    assert "Runs that failed" in (out / "report.html").read_text()
    file.parent.joinpath("parts.py").write_text(PARTS.replace("{what}", "pass"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, failed.are_in(out)) == (0, False), ended.stderr
    assert "Runs that failed" not in (out / "report.html").read_text()
    file.parent.joinpath("parts.py").write_text(PARTS.replace("{what}", "print()"))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "has changed since the runs in" in ended.stderr


def test_memory_that_is_not_there_fails_a_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.joinpath("parts.py").write_text(PARTS.replace("{what}", "torch.empty(10**15)"))
    study, out, said = Study.load(file), file.parent / "out", []  # type: ignore[var-annotated]
    run_study(study, out, tell=said.append)
    assert said[0].startswith(
        "2 of 4 runs failed (this machine has not enough memory for 3,725,290.3 GiB at once"
    )


def test_what_is_no_exception_fails_a_run_like_one(file: Path) -> None:
    """Of pytest's, asyncio's and others': whatever is neither Ctrl-C nor the end of a generator."""
    file.parent.joinpath("parts.py").write_text(
        PARTS.replace("{what}", 'raise BaseException("gone")')
    )
    said: list[str] = []
    run_study(Study.load(file), file.parent / "out", tell=said.append)
    assert said[0].startswith(
        "2 of 4 runs failed (server optimizer 'parts:breaking' (parts.py, line 13) raised BaseE"
    )


def test_whose_part_it_was_is_the_last_that_was_called(file: Path) -> None:
    file.write_text(STUDY.format(executor="loop").replace("logistic", "parts:net"))
    (run, *_) = Study.load(file).runs
    assert failed.of_run(
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate"), run
    ).startswith("this")
    assert failed.of_run(OSError("disk full"), run) == ""
    assert failed.of_run(TypeError("of ours"), run) == "it raised TypeError: of ours"
