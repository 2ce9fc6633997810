"""A small study, run in one go, and what tests compare and kill."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from headstart.starts.weights import load
from headstart.study.events import Ended, Failed
from headstart.study.folder.store import CHECKPOINT
from headstart.study.folder.writer import Writer
from headstart.study.places.pace import Advance
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.study.stream import carry_out, never

STUDY = """
name: small
task: digits
model: mlp(hidden=[16], dropout=0.1)
clients: [sgd, scaffold]
servers: [adam]
server_rates: 0.03
partitions: dirichlet(alpha=0.5)
devices: dropped(share=0.3)
population: 10
cohort: 3
batch_size: 16
rounds: 30
every: 10
seeds: [0, 1]
target_accuracy: 0.2
"""
RUN = """
import sys
from pathlib import Path
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.study.stream import carry_out, never
if __name__ == "__main__":
    file, out, jobs = sys.argv[1:]
    run_study(Study.load(file), Path(out), jobs=int(jobs), checkpoint_seconds=0.0)
"""


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="session")
def study(file: Path) -> Any:
    return Study.load(file)


@pytest.fixture(scope="session")
def whole(study: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of the study, run in one go."""
    return run_study(study, tmp_path_factory.mktemp("whole") / "out")


@pytest.fixture
def copy(whole: Any, tmp_path: Path) -> Any:
    """A copy of that folder, to damage."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def of_ends(watch: Any) -> Any:
    """A watcher that is told of ends alone."""
    return lambda event: watch(event) if isinstance(event, Advance) else None


def carried_out(
    group: Any, out: Any, checkpoint_seconds: Any = 10.0, is_stopping: Any = never
) -> Any:
    """What `carry_out` says, written down; the runs that ended, with their status."""
    writer, ended = Writer(out), []
    for event in carry_out(out, group, is_stopping, checkpoint_seconds):
        writer.write(event)
        if isinstance(event, Ended | Failed):
            ended.append((event.run, event.status))
    return ended


def tables(folder: Path) -> Any:
    runs, rounds = (
        pq.read_table(folder / "results" / f"{name}.parquet") for name in ("runs", "rounds")
    )
    return runs.drop_columns(["seconds", "ended"]), rounds


def weights(path: Any) -> Any:
    return {name: (leaf.shape, leaf.numpy().tobytes()) for name, leaf in load(path).state.items()}


def assert_equal_bits(folder: Path, other: Any) -> None:
    for table, expected in zip(tables(folder), tables(other), strict=True):
        assert table.equals(expected)
    final = sorted(path.relative_to(other) for path in other.rglob("weights.safetensors"))
    assert final == sorted(path.relative_to(folder) for path in folder.rglob("weights.safetensors"))
    for path in final:
        assert weights(folder / path) == weights(other / path)


def assert_nothing_left_over(folder: Path) -> None:
    assert not [
        path
        for path in folder.rglob("*")
        if path.name.endswith(".partial") or path.name == CHECKPOINT
    ]


def start(file: Path, out: Any, jobs: Any, command: Any = None, **keys: Any) -> Any:
    """A process of its own that runs the study with a checkpoint after every round.

    It can be interrupted, also where a shell has these tests in its background, which ignores
    Ctrl-C.
    """
    code = [sys.executable, "-c", RUN, str(file), str(out), str(jobs)]
    keys.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    return subprocess.Popen(
        command or code, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **keys
    )


def cli(file: Path, out: Any, jobs: Any = 1) -> Any:
    arguments = [
        "run",
        str(file),
        "--out",
        str(out),
        "--jobs",
        str(jobs),
        "--checkpoint-seconds",
        "0",
    ]
    return [sys.executable, "-m", "headstart", *arguments]


def wait_for(condition: Any, process: Any, seconds: Any = 60) -> None:
    """Wait until something is so, looking without a pause; fail if the process ends before."""
    began = time.monotonic()
    while not condition():
        assert process.poll() is None, (
            f"ended before the moment to interrupt it: {process.stderr.read()}"
        )
        assert time.monotonic() - began < seconds, "took too long"


def children(process: Any) -> Any:
    return [
        int(pid)
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]


def is_alive(pid: Any) -> Any:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def done(out: Any) -> Any:
    return len(list(out.glob("runs/*/run.json")))


def under_way(out: Any) -> Any:
    """Whether a run has a checkpoint and no record yet: the checkpoint is the last that it
    loses.
    """
    checkpoints = out.glob(f"runs/*/{CHECKPOINT}")
    return any(path.exists() and not (path.parent / "run.json").exists() for path in checkpoints)


def workers(process: Any) -> Any:
    """The processes that a process forked or spawned to share its work."""
    return [
        pid
        for pid in children(process)
        if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
