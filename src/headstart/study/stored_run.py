"""One run of a study in its folder: from its start or its checkpoint to its record."""

import json
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import headstart
from headstart import files, trees
from headstart.engine import checkpoint
from headstart.engine.rounds import begin, on_device
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES
from headstart.starts.base import STARTS
from headstart.study.choice import Choice, chosen_executor, with_executor
from headstart.study.federations import federation_of, network_of, task_of
from headstart.study.run import Progress, carry_out
from headstart.study.spec import SCHEMA, RunSpec
from headstart.study.store import CHECKPOINT, Folder
from headstart.trees import Tree


def refuse_changed_files(runs: Sequence[RunSpec], out: Path) -> None:
    """Hold what the files of starts contained when the folder was begun, and refuse to mix it with anything else.

    Raises:
        HeadstartError: a file has other contents now.
    """
    path = out / "starts" / "contents.json"
    try:
        with files.explained(path, "read"):
            known = json.loads(path.read_bytes()) if path.exists() else {}
        before = {str(start): str(content) for start, content in known.items()}
    except (ValueError, AttributeError) as error:
        raise HeadstartError(f"{path} is damaged ({error}); delete it and run again") from None
    now = {str(start): STARTS.build(start).content for start in {run.start for run in runs}}
    for start, content in now.items():
        if before.get(start, content) != content:
            raise HeadstartError(
                f"the file of the start {start} has changed since the runs in {out} were made "
                f"(sha256 {before[start][:12]} then, {content[:12]} now); put it back or choose a new folder"
            )
    contents = {start: content for start, content in sorted((before | now).items()) if content}
    if contents != before:
        files.write(path, json.dumps(contents, indent=1))


def start_weights(run: RunSpec, out: Path) -> Tree:
    """The weights that a run begins from; a start that is the same for all seeds is made once and kept."""
    start = STARTS.build(run.start)
    network, task = network_of(run.model, run.task), task_of(run.task)
    if start.seeded:
        return start.weights(network, task, run.seed)
    identity = json.dumps([SCHEMA, repr(run.start), start.content, repr(run.model), repr(run.task)])
    path = out / "starts" / f"{run.start.name}-{sha256(identity.encode()).hexdigest()[:16]}.safetensors"
    if path.exists():
        return checkpoint.load_trees(path)[0]["x"]
    weights = start.weights(network, task, run.seed)
    checkpoint.save_trees(path, {"x": weights}, {"start": str(run.start), "model": str(run.model)})
    return weights


def carry_out_run(
    run: RunSpec, out: Path, checkpoint_seconds: float, is_stopping: Callable[[], bool] = lambda: False
) -> str:
    """One run in its folder, from its checkpoint if it has one. Returns its status.

    `is_stopping` is asked after every round; once it says so, the run is saved and `KeyboardInterrupt` raised.
    """
    began = time.perf_counter()
    folder = Folder(out)
    saved = folder.run(run.key) / CHECKPOINT
    choice = chosen_executor(run, out)
    federation = federation_of(with_executor(run, choice))
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    earlier_seconds = 0.0
    if saved.exists():
        progress, earlier_seconds = _resumed(saved, federation.network.device)
    else:
        progress = Progress(begin(federation, trees.to(start_weights(run, out), federation.network.device)))
    last_saved = began

    def save_now_and_then(progress: Progress) -> None:
        nonlocal last_saved
        stopping = is_stopping()
        due = stopping or time.perf_counter() - last_saved >= checkpoint_seconds
        if due and progress.diverged_at is None:
            note = {"rows": progress.rows, "seconds": earlier_seconds + time.perf_counter() - began}
            checkpoint.save(saved, progress.state, progress.kept, note)
            last_saved = time.perf_counter()
        if stopping:
            raise KeyboardInterrupt

    carry_out(federation, progress, run.rounds, run.every, probes, save_now_and_then)
    checkpoint.save_trees(folder.run(run.key) / "weights.safetensors", {"x": progress.state.x}, {"run": str(run)})
    record = _record(run, choice, progress, earlier_seconds + time.perf_counter() - began)
    folder.finish(run.key, record, progress.rows)
    saved.unlink(missing_ok=True)
    return progress.status


def _resumed(saved: Path, device: torch.device) -> tuple[Progress, float]:
    try:
        state, kept, note = checkpoint.load(saved)
        rows = [(int(round_), str(metric), float(value)) for round_, metric, value in note["rows"]]
        kept = {round_: trees.to(x, device) for round_, x in kept.items()}
        return Progress(on_device(state, device), kept, rows), float(note["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise HeadstartError(f"{saved} is damaged ({error}); delete it and run again") from error


def _record(run: RunSpec, choice: Choice, progress: Progress, seconds: float) -> dict[str, Any]:
    names = ("task", "model", "start", "client", "server", "partition", "devices")
    numbers = ("local_epochs", "client_rate", "server_rate", "seed")
    state = progress.state
    return {
        "run": run.key,
        **{name: str(getattr(run, name)) for name in names},
        **{name: getattr(run, name) for name in numbers},
        "executor": choice["executor"],
        "executor_timings": choice.get("timings"),
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
