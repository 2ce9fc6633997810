"""Carry out a study: starts first, then every run that is not done, in one process or several."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import headstart
from headstart.engine import checkpoint
from headstart.engine.rounds import begin
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES
from headstart.starts.base import STARTS
from headstart.study.federations import federation_of, network_of, one_thread, task_of
from headstart.study.run import Progress, carry_out
from headstart.study.spec import SCHEMA, RunSpec, Study
from headstart.study.store import CHECKPOINT, Folder
from headstart.trees import Tree


@dataclass(frozen=True)
class Event:
    """A run that ended, for those who watch: `done` of `total`, and what came of it."""

    done: int
    total: int
    run: RunSpec
    status: str


def run_study(
    study: Study,
    out: Path,
    jobs: int = 1,
    checkpoint_seconds: float = 10.0,
    watch: Callable[[Event], None] = lambda event: None,
) -> Path:
    """Run or resume a study in the folder `out`; runs that are done are skipped. Returns the folder.

    Each process computes with one torch thread, so `jobs` changes no result. A process that is killed loses at
    most `checkpoint_seconds` of one run, and the run goes on to the same bits.

    Raises:
        HeadstartError: the study's parts do not fit together; the folder is in use, of another study, or damaged.
    """
    try:
        with one_thread():
            check(study)
            with Folder(out).claimed(study.resolved()):
                _carry_on(study, out, jobs, checkpoint_seconds, watch)
    except OSError as error:
        raise HeadstartError(f"cannot go on in {out}: {error}") from error
    return out


def _carry_on(study: Study, out: Path, jobs: int, checkpoint_seconds: float, watch: Callable[[Event], None]) -> None:
    folder, keys = Folder(out), [run.key for run in study.runs]

    def gather() -> None:
        folder.gather(keys, study.file.target_accuracy)

    gather()  # reads all that is there, so that a damaged file is found before any training
    pending = [run for run in study.runs if not folder.is_done(run.key)]
    for run in {(run.start, run.model, run.task): run for run in pending}.values():
        start_weights(run, out)
    done = len(keys) - len(pending)
    try:
        for run, status in _each(pending, out, jobs, checkpoint_seconds):
            done += 1
            watch(Event(done, len(keys), run, status))
    except BaseException:
        with suppress(HeadstartError, OSError):  # what went wrong first is what the user must read
            gather()
        raise
    gather()


def check(study: Study) -> None:
    """Build what the runs are made of, without training.

    Raises:
        HeadstartError: task, model, partitions and cohort do not fit together.
    """
    samples: dict[object, RunSpec] = {}
    for run in study.runs:  # not every combination, but every part of one, and every dealing of the data
        samples |= dict.fromkeys(((run.partition, run.seed), run.client, run.server, run.devices), run)
    for run in {run.key: run for run in samples.values()}.values():
        federation_of(run)
    for start in {run.start for run in study.runs}:
        STARTS.build(start)


def start_weights(run: RunSpec, out: Path) -> Tree:
    """The weights that a run begins from; a start that is the same for all seeds is made once and kept."""
    start = STARTS.build(run.start)
    network, task = network_of(run.model, run.task), task_of(run.task)
    if start.seeded:
        return start.weights(network, task, run.seed)
    identity = json.dumps([SCHEMA, repr(run.start), repr(run.model), repr(run.task)])
    path = out / "starts" / f"{run.start.name}-{sha256(identity.encode()).hexdigest()[:16]}.safetensors"
    if path.exists():
        return checkpoint.load_trees(path)[0]["x"]
    weights = start.weights(network, task, run.seed)
    checkpoint.save_trees(path, {"x": weights}, {"start": str(run.start), "model": str(run.model)})
    return weights


def carry_out_run(run: RunSpec, out: Path, checkpoint_seconds: float) -> str:
    """One run in its folder, from its checkpoint if it has one. Returns its status."""
    began = time.perf_counter()
    folder = Folder(out)
    saved = folder.run(run.key) / CHECKPOINT
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    earlier_seconds = 0.0
    if saved.exists():
        progress, earlier_seconds = _resumed(saved)
    else:
        progress = Progress(begin(federation, start_weights(run, out)))
    last_saved = began

    def save_now_and_then(progress: Progress) -> None:
        nonlocal last_saved
        stopping = _stop is not None and bool(_stop.value)
        due = stopping or time.perf_counter() - last_saved >= checkpoint_seconds
        if due and progress.diverged_at is None:
            note = {"rows": progress.rows, "seconds": earlier_seconds + time.perf_counter() - began}
            checkpoint.save(saved, progress.state, progress.kept, note)
            last_saved = time.perf_counter()
        if stopping:
            raise KeyboardInterrupt

    carry_out(federation, progress, run.rounds, run.every, probes, save_now_and_then)
    checkpoint.save_trees(folder.run(run.key) / "weights.safetensors", {"x": progress.state.x}, {"run": str(run)})
    record = _record(run, progress, earlier_seconds + time.perf_counter() - began)
    folder.finish(run.key, record, progress.rows)
    saved.unlink(missing_ok=True)
    return progress.status


def _resumed(saved: Path) -> tuple[Progress, float]:
    try:
        state, kept, note = checkpoint.load(saved)
        rows = [(int(round_), str(metric), float(value)) for round_, metric, value in note["rows"]]
        return Progress(state, kept, rows), float(note["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise HeadstartError(f"{saved} is damaged ({error}); delete it and run again") from error


def _record(run: RunSpec, progress: Progress, seconds: float) -> dict[str, Any]:
    names = ("task", "model", "start", "client", "server", "partition", "devices", "executor")
    numbers = ("local_epochs", "client_rate", "server_rate", "seed")
    state = progress.state
    return {
        "run": run.key,
        **{name: str(getattr(run, name)) for name in names},
        **{name: getattr(run, name) for name in numbers},
        "status": progress.status,
        "rounds": state.round,
        "diverged_at": progress.diverged_at,
        "bytes_up": state.bytes_up,
        "bytes_down": state.bytes_down,
        "parameters": sum(leaf.numel() for leaf in state.x.values()),
        "simulated_seconds": state.simulated_seconds,
        "seconds": seconds,
        "headstart": headstart.__version__,
        "schema": SCHEMA,
    }


def _each(pending: list[RunSpec], out: Path, jobs: int, checkpoint_seconds: float) -> Iterator[tuple[RunSpec, str]]:
    """Runs as they end. With several processes the longest begin first, so that none is left waiting at the end."""
    if jobs == 1 or len(pending) < 2:
        for run in pending:
            yield run, carry_out_run(run, out, checkpoint_seconds)
        return
    context = multiprocessing.get_context("spawn")
    stop = context.RawValue("b", 0)  # no lock that a killed worker could keep
    longest_first = sorted(pending, key=lambda run: -run.local_epochs)
    with ProcessPoolExecutor(min(jobs, len(pending)), context, _begin_worker, (stop,)) as pool:
        try:
            with (
                _uninterrupted_children()
            ):  # workers would print a traceback for an interrupt before they can ignore it
                futures = {pool.submit(carry_out_run, run, out, checkpoint_seconds): run for run in longest_first}
            waiting = set(futures)
            while waiting:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield futures[future], future.result()
        except BrokenProcessPool:
            raise HeadstartError(
                "a worker process was killed (out of memory?) or could not begin (a script of your own needs "
                "`if __name__ == '__main__':`); run again to go on, with fewer --jobs"
            ) from None
        finally:
            stop.value = 1
            pool.shutdown(cancel_futures=True)


_stop: Any = None
"""In a worker: shared with the process that it works for, which sets it to 1 to have all runs stop."""


def _begin_worker(stop: Any) -> None:
    """One torch thread, no interrupts, and no worker that outlives the process that it works for."""
    global _stop
    _stop = stop
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@contextmanager
def _uninterrupted_children() -> Iterator[None]:
    """Processes begun within the block never get a Ctrl-C: what a thread blocks is blocked in its children."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
