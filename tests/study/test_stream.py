"""Runs that are killed and interrupted: they go on to the same bits."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from headstart.child_processes import uninterrupted
from headstart.clients.base import CLIENTS
from headstart.engine import checkpoint
from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.study.federations import federation_of
from headstart.study.folder.saved import Saving
from headstart.study.folder.store import CHECKPOINT, Folder
from headstart.study.folder.writer import Writer
from headstart.study.places import processes
from headstart.study.rounds import Progress, do_rounds
from headstart.study.runner import run_study
from headstart.study.spec import Study

from .conftest import (
    STUDY,
    assert_equal_bits,
    assert_nothing_left_over,
    children,
    cli,
    done,
    is_alive,
    of_ends,
    start,
    tables,
    under_way,
    wait_for,
    workers,
)

PARTS = [("clients", entry.name) for entry in CLIENTS] + [
    ("servers", entry.name) for entry in SERVERS
]
PARTS += [
    ("clients", "mimelite(base='adam')"),
    ("clients", "sgd(momentum=0.5)"),
    ("servers", "adam@torch"),
]
PARTS += [("model", "cnn"), ("executor", "stacked"), ("clients", "sgd"), ("local_epochs", 0.5)]  # type: ignore[list-item]


class KilledError(Exception):
    pass


def in_one_go(run: Any) -> Any:
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    start = federation.network.initial(run.seed)
    return do_rounds(federation, Progress(begin(federation, start)), run.rounds, run.every, probes)


def in_pieces(run: Any, out: Any) -> Any:
    """The run, stopped after every round and taken up again from its checkpoint."""
    folder, writer = Folder(out).run(run.key), Writer(out)
    federation = federation_of(run)
    progress = Progress(begin(federation, federation.network.initial(run.seed)))
    saving = Saving(folder)

    def stop(progress: Any) -> None:
        writer.write(saving.save(run, progress, 0.0))
        raise KilledError

    for _ in range(run.rounds):
        probes = [PROBES.build(probe, federation) for probe in run.probes]
        with pytest.raises(KilledError):
            do_rounds(federation, progress, run.rounds, run.every, probes, stop)
        saving, progress, _ = Saving.load(folder, torch.device("cpu"))
    return do_rounds(federation, progress, run.rounds, run.every, probes)


def flat(state: Any) -> Any:
    """A state as a list of names, bytes and numbers."""
    named = [
        state.x,
        state.server,
        state.shared,
        state.pseudo_gradient,
        *(state.memories[i] for i in sorted(state.memories)),
    ]
    leaves = [
        (name, leaf.dtype, leaf.shape, leaf.numpy().tobytes())
        for tree in named
        for name, leaf in tree.items()
    ]
    return (
        leaves,
        sorted(state.memories),
        state.round,
        state.bytes_up,
        state.bytes_down,
        state.simulated_seconds,
    )


@pytest.mark.parametrize(
    ("field", "written"), PARTS, ids=[f"{field}-{written}" for field, written in PARTS]
)
def test_a_run_stopped_after_every_round_ends_in_the_same_bits(
    field: Any, written: Any, tmp_path: Path
) -> None:
    keys = {
        "model": "mlp(hidden=[8], dropout=0.2)",
        "executor": "loop",
        "servers": "momentum",
        "clients": "scaffold",
    }
    (run,) = Study(**{
        **keys, "task": "digits", "population": 10, "cohort": 3, "batch_size": 60, "rounds": 5,
        "every": 2, "seeds": 1, "local_epochs": 2, "devices": "uneven-epochs", field: written,
    }).runs  # fmt: skip
    with torch_threads(1):
        whole, pieces = in_one_go(run), in_pieces(run, tmp_path)
    assert flat(pieces.state) == flat(whole.state)
    assert pieces.rows == whole.rows
    assert [round_ for round_, metric, _ in whole.rows if metric == "test_loss"] == [0, 2, 4, 5]
    assert whole.status == "finished"


def test_a_run_goes_on_from_its_checkpoint(
    study: Any, copy: Any, whole: Any, tmp_path: Path
) -> None:
    run = study.runs[3]
    folder = copy / "runs" / run.key
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]

    def stop(progress: Any) -> None:
        if progress.state.round == 17:
            # A time that only who reads this checkpoint can know.
            saving = Saving(folder, str(run.executor))
            Writer(copy).write(saving.save(run, progress, 1e6))
            raise KilledError

    progress = Progress(begin(federation, federation.network.initial(run.seed)))
    with torch_threads(1), pytest.raises(KilledError):
        do_rounds(federation, progress, run.rounds, run.every, probes, stop)
    for name in ("run.json", "rounds.parquet", "weights.safetensors"):
        (folder / name).unlink()
    run_study(study, copy)
    assert_equal_bits(copy, whole)
    assert json.loads((folder / "run.json").read_text())["seconds"] > 1e6
    assert_nothing_left_over(copy)


def test_an_interruption_leaves_tables_of_what_is_done(
    study: Any, tmp_path: Path, whole: Any
) -> None:
    def stop(event: Any) -> None:
        if event.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out", watch=of_ends(stop))
    expected_runs, expected_rounds = tables(whole)
    runs, rounds = tables(tmp_path / "out")
    assert runs.equals(expected_runs.slice(0, 2))
    assert rounds.equals(expected_rounds.slice(0, rounds.num_rows))
    run_study(study, tmp_path / "out")
    assert_equal_bits(tmp_path / "out", whole)


def test_an_error_is_not_hidden_by_one_of_gathering(study: Any, tmp_path: Path) -> None:
    def damage_and_stop(event: Any) -> None:
        (tmp_path / "out" / "runs" / event.run.key / "rounds.parquet").write_bytes(b"")
        raise HeadstartError("what went wrong first")

    with pytest.raises(HeadstartError, match=r"^what went wrong first$"):
        run_study(study, tmp_path / "out", watch=of_ends(damage_and_stop))


def test_an_error_of_the_system_is_one_line(study: Any, copy: Any) -> None:
    def fail(event: Any) -> None:
        raise OSError(28, "No space left on device", "/somewhere")

    shutil.rmtree(copy / "runs" / study.runs[3].key)
    with pytest.raises(
        HeadstartError,
        match=r"^cannot go on in .*: \[Errno 28\] No space left on device: '/somewhere'$",
    ):
        run_study(study, copy, watch=fail)


def test_ctrl_c_does_not_reach_workers() -> None:
    sleeper = "import time; print('up', flush=True); time.sleep(60)"
    with uninterrupted():
        process = subprocess.Popen(
            [sys.executable, "-c", sleeper], stdout=subprocess.PIPE, text=True
        )
    assert process.stdout.readline() == "up\n"  # type: ignore[union-attr]
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.kill()
    process.communicate()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


MOMENTS = {
    "the folder was made": lambda out: (out / "study.yaml").exists(),
    "a run was under way": under_way,
    "a run was done": lambda out: done(out) >= 1,
    "another was under way": lambda out: done(out) >= 2 and under_way(out),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize(
    ("jobs", "moments"), [(1, list(MOMENTS)), (2, list(MOMENTS)[1::2])], ids=["jobs=1", "jobs=2"]
)
def test_killed_again_and_again_it_ends_in_the_same_bits(
    jobs: int, moments: Any, file: Path, study: Any, whole: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for moment in [MOMENTS[name] for name in moments]:
        process = start(file, out, jobs)
        wait_for(lambda moment=moment: moment(out), process)
        workers = children(process)
        process.kill()
        process.wait()
        until = time.monotonic() + 5
        while (orphans := list(filter(is_alive, workers))) and time.monotonic() < until:
            time.sleep(0.01)
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
        assert not orphans, "a worker outlived the process that it worked for"
        process.communicate()
    rounds = [checkpoint.load(path)[0].round for path in out.glob(f"runs/*/{CHECKPOINT}")]
    assert rounds, "killed while a run was under way"
    assert all(0 < round_ <= 30 for round_ in rounds)
    assert 0 < done(out) < len(study.runs)
    last = start(file, out, jobs)
    assert last.communicate()[1] == ""
    assert last.returncode == 0
    assert_equal_bits(out, whole)
    assert_nothing_left_over(out)


@pytest.mark.slow
@pytest.mark.parametrize(
    "cannot_fork",
    [processes.cannot_fork, lambda device: "must not"],  # type: ignore[attr-defined]
    ids=["forked", "spawned"],
)
def test_two_processes_give_the_bits_of_one(
    cannot_fork: Any, study: Any, whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cannot_fork", cannot_fork)
    run_study(study, tmp_path / "out", jobs=2)
    assert_equal_bits(tmp_path / "out", whole)


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["threads(workers=2)", "processes(workers=2)"])
def test_what_a_process_computed_with_before_it_forks_does_not_disturb_its_workers(
    executor: str, tmp_path: Path
) -> None:
    text = yaml.safe_load(STUDY) | {"executor": executor, "clients": "sgd", "rounds": 4}
    few, more = (Study(**text | {"seeds": seeds}) for seeds in ([0], [0, 1, 2]))
    run_study(few, tmp_path / "out")
    run_study(more, tmp_path / "out", jobs=2)
    run_study(more, tmp_path / "alone")
    assert_equal_bits(tmp_path / "out", tmp_path / "alone")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for workers in /proc")
@pytest.mark.parametrize(
    ("jobs", "moment"), [(1, "a run is under way"), (2, "a run is under way"), (2, "workers begin")]
)
def test_ctrl_c_ends_with_130_and_a_hint(
    jobs: int, moment: str, file: Path, study: Any, whole: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(file, out, jobs, cli(file, out, jobs), start_new_session=True)
    if moment == "workers begin":
        wait_for(lambda: workers(process), process)
    else:
        wait_for(lambda: done(out) >= 1 and under_way(out), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert errors == f"interrupted; what is done is in {out}; run the same command again to go on\n"
    assert tables(out)[0].num_rows == done(out) < len(study.runs)
    assert done(out) >= 1 or moment == "workers begin"
    run_study(study, out)
    assert_equal_bits(out, whole)


@pytest.mark.slow
def test_a_killed_worker_gets_one_line(file: Path, study: Any, whole: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(file, out, 2, cli(file, out, 2))
    wait_for(lambda: under_way(out), process)
    os.kill(workers(process)[0], signal.SIGKILL)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert errors.startswith("error: a worker process was killed (out of memory?)")
    assert errors.count("\n") == 1
    run_study(study, out)
    assert_equal_bits(out, whole)
