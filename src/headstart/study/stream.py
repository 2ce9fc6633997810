"""Runs of a study in its folder: from their starts or their checkpoints to their records."""

import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

import headstart
from headstart import files, trees
from headstart.engine.rounds import Federation, begin
from headstart.errors import HeadstartError
from headstart.parts import own_modules
from headstart.parts.lookup import KEPT
from headstart.parts.registry import Component, own_file
from headstart.probes.base import PROBES, Probe
from headstart.starts import weights
from headstart.starts.base import STARTS, Artefact
from headstart.starts.weights import NOTHING, Weights
from headstart.study.choice import Choice, chosen_executor, with_executor
from headstart.study.data import task_of
from headstart.study.federations import build_network, clients_of, federation_of, holds, network_of
from headstart.study.folder import added, failed
from headstart.study.folder.best import BestSoFar
from headstart.study.folder.saved import Saved
from headstart.study.folder.store import CHECKPOINT, WEIGHTS, Folder
from headstart.study.following import Tell, nobody
from headstart.study.groups import Group
from headstart.study.run import Progress, carry_out, carry_out_together
from headstart.study.spec import SCHEMA, RunSpec
from headstart.tasks.base import Task
from headstart.trees import Tree

PARTS = ("task", "model", "start", "client", "server", "partition", "devices")
"""The fields of a run that are parts."""


def refuse_changed_files(runs: Sequence[RunSpec], out: Path) -> None:
    """Hold what the files of starts and tasks contained when the folder was begun, and refuse to mix in anything else.

    Raises:
        HeadstartError: a file has other contents now.
    """
    path = out / "starts" / "contents.json"
    known = files.read_record(path) if path.exists() else {}
    before = {str(name): str(content) for name, content in known.items()}
    now = _contents(runs)
    done = [run for run in runs if Folder(out).is_done(run.key)]
    may_be_mended = _modules(runs).keys() - _modules(done).keys()
    for name, content in now.items():
        if before.get(name, content) != content and name not in may_be_mended:
            raise HeadstartError(
                f"{name}: what its files hold has changed since the runs in {out} were made "
                f"(sha256 {before[name][:12]} then, {content[:12] or 'none'} now); put it back or choose a new folder"
            )
    contents = {name: content for name, content in sorted((before | now).items()) if content}
    if contents != before:
        files.write_record(path, contents)


def _contents(runs: Sequence[RunSpec]) -> dict[str, str]:
    """sha256 of the files of all starts and tasks, also of those tasks whose data a start is made of, and of the
    modules of parts that are the user's own, with what these import from beside them.
    """
    starts = {run.start: STARTS.build(run.start) for run in runs}
    tasks = {run.task for run in runs}
    tasks |= {task for start in starts.values() if start.artefact for task in start.artefact.tasks}
    contents = {str(written): start.content for written, start in starts.items()}
    contents |= {name: files.digest(file) for name, file in _modules(runs).items()}
    return contents | {f"task {task}": task_of(task).content for task in tasks}


def _parts(runs: Sequence[RunSpec]) -> set[Component]:
    """All parts of runs, probes too."""
    parts: set[Component] = {probe for run in runs for probe in run.probes}
    return parts | {getattr(run, name) for run in runs for name in PARTS}


def _modules(runs: Sequence[RunSpec]) -> dict[str, Path]:
    """The files of those parts of runs that are the user's own, and of what these import from beside them."""
    parts = _parts(runs)
    own = {f"module of {part.kind} {part.name}": file for part in parts if (file := own_file(part)) is not None}
    for origin in {part.origin for part in parts if own_file(part) is not None}:
        own |= {f"module {name}": file for name, file in own_modules.imported_from(origin).items()}
    return own


def keep_modules(runs: Sequence[RunSpec], out: Path) -> None:
    """Copies of the modules of the user's own, with which the text of the study in this folder can be run again."""
    parts = _parts(runs)
    kept: dict[str, Path] = {}
    for part in parts:
        if (file := own_file(part)) is not None and file.suffix == ".py":
            is_package = file.name == "__init__.py"
            name = part.name.partition(":")[0].replace(".", "/")
            kept[f"{name}/__init__.py" if is_package else f"{name}.py"] = file
    for origin in {part.origin for part in parts}:
        kept |= own_modules.imported_from(origin)
    for name, file in kept.items():
        with files.explained(file, "read"):
            content = file.read_bytes()
        if file != out / KEPT / name:
            files.write(out / KEPT / name, content)


def keep_notes(notes: dict[str, list[str]], out: Path) -> None:
    """Keep what is to be known of starts, by their names, for the records of their runs."""
    if notes:
        files.write_record(out / "starts" / "notes.json", notes)


def _note_of(start: Component, out: Path) -> str | None:
    path = out / "starts" / "notes.json"
    notes = files.read_record(path).get(str(start), []) if path.exists() else []
    return "; ".join(map(str, notes)) or None


def start_weights(run: RunSpec, out: Path) -> Tree:
    """The weights that a run begins from. What is the same for all seeds, or costly, is made once and kept."""
    start = STARTS.build(run.start)
    network, task = network_of(run.model, run.task), task_of(run.task)

    def make() -> Tree:
        return start.weights(_artefact(start.artefact, run, task, out), network, task, run.seed)

    if not start.costly:
        return make()
    named: list[Any] = [repr(run.start), start.content, repr(run.model), repr(run.task), run.seed]
    return _kept(out, f"{run.start.name}-seed-{run.seed}", named, lambda: Weights.of(make(), network, task)).state


def _artefact(artefact: Artefact | None, run: RunSpec, task: Task, out: Path) -> Weights:
    if artefact is None:
        return NOTHING

    def make() -> Weights:
        return artefact.make(partial(build_network, run.model), task)

    return _kept(out, "pre-trained", [artefact.made_of, repr(run.model)], make)


def _kept(out: Path, name: str, made_of: list[Any], make: Callable[[], Weights]) -> Weights:
    """The weights in the folder's `starts/` under that name and a hash of what they are made of.

    They are made where they are not there, and made again, to the same numbers, where they are damaged.
    """
    identity = json.dumps([SCHEMA, *made_of])
    path = out / "starts" / f"{name}-{sha256(identity.encode()).hexdigest()[:16]}.safetensors"
    if path.exists():
        try:
            if weights.note_of(path) != {"made_of": json.loads(json.dumps(made_of))}:
                raise HeadstartError(f"{path} holds what another start is made of")
            return weights.load(path)
        except HeadstartError as error:
            warnings.warn(f"{error}; it is made again", stacklevel=2)
    weights.save(path, make(), {"made_of": made_of})
    return weights.load(path)


@dataclass
class _UnderWay:
    """A run that is not done. `whole`: the weights of its start, as far as they are needed; `seconds`: spent before."""

    run: RunSpec
    federation: Federation
    probes: list[Probe]
    progress: Progress
    whole: Tree
    saved: Saved
    seconds: float
    best: BestSoFar | None = None

    def __post_init__(self) -> None:
        if self.run.keep_weights == "both":
            self.best = BestSoFar(self.saved.folder, self.progress)

    def weights_of(self, trained: Tree) -> Weights:
        """The whole model around what is trained."""
        network = self.federation.network
        return Weights.of({**self.whole, **trained}, network, task_of(self.run.task))

    def keep_best(self) -> None:
        """Write the weights of the best round, where they are wanted and new."""
        if self.best is not None:
            self.best.write(self.weights_of, str(self.run))

    def is_before_its_last_round(self) -> bool:
        """Whether its state should be kept, so that a run of more rounds can go on from it."""
        here = self.progress.state.round
        if here != self.run.rounds - 1 or here == self.saved.round:
            return False
        return self.saved.is_small(self.progress)


def carry_out_group(
    group: Group,
    out: Path,
    checkpoint_seconds: float,
    is_stopping: Callable[[], bool] = lambda: False,
    tell: Tell = nobody,
) -> list[tuple[RunSpec, str]]:
    """The runs of a group in their folders, from their checkpoints if they have some. Returns those that were not done
    with their status.

    `is_stopping` is asked after every round; once it says so, the runs are saved and `KeyboardInterrupt` raised. `tell`
    is told what was measured, as it is; of a run that goes on from a checkpoint, also what was before that.
    Where a run fails, the others go on, each by itself, to the bits that they would have had together.
    """
    folder = Folder(out)
    pending = [i for i, run in enumerate(group) if not folder.is_done(run.key)]
    if not pending:
        return []
    try:
        return _carried_out(group, pending, out, checkpoint_seconds, is_stopping, tell)
    except Exception as error:  # whatever somebody's own part may raise
        if not (why := failed.of_run(error, group[pending[0]])):
            raise
        if len(pending) > 1:
            alone = [_alone(group, i, out, checkpoint_seconds, is_stopping, tell) for i in pending]
            return [ended for one in alone for ended in one]
        return [failed.kept(folder.run(group[pending[0]].key), group[pending[0]], why)]


def _alone(
    group: Group,
    i: int,
    out: Path,
    checkpoint_seconds: float,
    is_stopping: Callable[[], bool],
    tell: Tell,
) -> list[tuple[RunSpec, str]]:
    """One run of a group, whose others keep their places."""
    if Folder(out).is_done(group[i].key):
        return [(group[i], str(Folder(out).record(group[i].key)["status"]))]
    try:
        return _carried_out(group, [i], out, checkpoint_seconds, is_stopping, tell)
    except Exception as error:  # whatever somebody's own part may raise
        if not (why := failed.of_run(error, group[i])):
            raise
        return [failed.kept(Folder(out).run(group[i].key), group[i], why)]


def _carried_out(
    group: Group,
    pending: Sequence[int],
    out: Path,
    checkpoint_seconds: float,
    is_stopping: Callable[[], bool],
    tell: Tell,
) -> list[tuple[RunSpec, str]]:
    began = last_saved = time.perf_counter()
    folder = Folder(out)
    choice = chosen_executor(group[0], out)
    waiting = {i: group[i] for i in pending}
    measured = [(run, _measure_ends(run, out, choice)) for run in waiting.values() if added.is_handed_over(folder, run)]
    wanted = {i: _begin(run, out, choice) for i, run in waiting.items() if not folder.is_done(run.key)}
    if not wanted:
        return measured
    some = next(iter(wanted.values()))
    federations = [
        wanted[i].federation
        if i in wanted
        else replace(
            some.federation, clients=clients_of(run.task, run.partition, run.population, run.seed), seed=run.seed
        )
        for i, run in enumerate(group)
    ]

    def seconds() -> float:
        """Of the runs' own, which share the time."""
        return (time.perf_counter() - began) / len(wanted)

    told = dict.fromkeys(wanted, 0)

    def tell_what_is_new() -> None:
        for i, one in wanted.items():
            if new := one.progress.rows[told[i] :]:
                tell(one.run.key, new)
                told[i] += len(new)

    def save_now_and_then() -> None:
        nonlocal last_saved
        tell_what_is_new()
        stopping = is_stopping()
        due = stopping or time.perf_counter() - last_saved >= checkpoint_seconds
        for one in wanted.values():
            if one.best is not None:
                one.best.look(one.progress)
            if one.progress.diverged_at is None and (due or one.is_before_its_last_round()):
                one.keep_best()
                one.saved.save(one.progress, one.seconds + seconds(), lasting=due)
            elif one.saved.is_full(one.progress):
                one.saved.put_down(one.progress)
        if due:
            last_saved = time.perf_counter()
        if stopping:
            raise KeyboardInterrupt

    places = [wanted.get(i) for i in range(len(group))]
    carry_out_together(
        federations,
        [place.progress if place else None for place in places],
        some.run.rounds,
        some.run.every,
        [
            place.probes if place else _probes(run, federation)
            for place, run, federation in zip(places, group, federations, strict=True)
        ],
        save_now_and_then,
    )
    tell_what_is_new()
    for one in wanted.values():
        if one.best is not None:
            one.best.look(one.progress)
            one.keep_best()
            one.best.close()
        final = one.weights_of(one.progress.state.x)
        weights.save(folder.run(one.run.key) / WEIGHTS, final, {"run": str(one.run)})
        params = one.federation.network.parameters_of(final.state)
        parameters = sum(leaf.numel() for leaf in params.values())
        note = _note_of(one.run.start, out)
        record = _record(one.run, choice, one.progress, parameters, one.seconds + seconds(), note)
        folder.finish(one.run.key, record, one.progress.rows)
        one.saved.close(one.run.rounds)
        failed.forget(folder.run(one.run.key))
    return measured + [(one.run, one.progress.status) for one in wanted.values()]


def _measure_ends(run: RunSpec, out: Path, choice: Choice) -> str:
    """Of a run that another one has but for probes."""
    _, federation, progress = begun(with_executor(run, choice), out)
    return added.finish(run, federation, progress.state, Folder(out))


def _begin(run: RunSpec, out: Path, choice: Choice) -> _UnderWay:
    """From its checkpoint or from its start."""
    folder, made = Folder(out).run(run.key), with_executor(run, choice)
    if not (folder / CHECKPOINT).exists():
        saved = Saved(folder, choice["executor"])
        whole, federation, progress = begun(made, out)
        return _UnderWay(run, federation, _probes(run, federation), progress, whole, saved, 0.0)
    whole, federation = begun(made, out)[:2] if holds(made) else ({}, federation_of(made))
    saved, progress, seconds = Saved.load(folder, federation.network.device, choice["executor"])
    return _UnderWay(run, federation, _probes(run, federation), progress, whole, saved, seconds)


def _probes(run: RunSpec, federation: Federation) -> list[Probe]:
    return [PROBES.build(probe, federation) for probe in run.probes]


def begun(run: RunSpec, out: Path) -> tuple[Tree, Federation, Progress]:
    """A run before its first round: the weights that it begins from, its federation, and the state that this is in."""
    whole, before = start_weights(run, out), STARTS.build(run.start).before
    if before is None:
        federation = federation_of(run, whole)
        return whole, federation, _at_round_0(federation, whole)
    part = federation_of(replace(run, trainable=before.trainable), whole)
    done = carry_out(part, _at_round_0(part, whole), before.rounds, before.rounds, [])
    whole = {name: done.state.x.get(name, leaf) for name, leaf in whole.items()}
    federation = federation_of(run, whole)
    progress = _at_round_0(federation, whole)
    spent = {name: getattr(done.state, name) for name in ("bytes_up", "bytes_down", "simulated_seconds")}
    progress.state = replace(progress.state, **spent)
    progress.diverged_at = None if done.diverged_at is None else 0
    return whole, federation, progress


def _at_round_0(federation: Federation, weights: Tree) -> Progress:
    """What is not trained is left to the network."""
    trained = {name: leaf for name, leaf in weights.items() if name not in federation.network.held}
    return Progress(begin(federation, trees.to(trained, federation.network.device)))


def _record(
    run: RunSpec, choice: Choice, progress: Progress, parameters: int, seconds: float, note: str | None
) -> dict[str, Any]:
    names = (*PARTS, "trainable")
    numbers = ("local_epochs", "client_rate", "server_rate", "seed")
    state = progress.state
    return {
        "run": run.key,
        **{name: str(getattr(run, name)) for name in names},
        **{name: getattr(run, name) for name in numbers},
        "executor": choice["executor"],
        "executor_timings": choice.get("timings"),
        "executor_fallback": progress.fallback,
        "status": progress.status,
        "rounds": state.round,
        "diverged_at": progress.diverged_at,
        "bytes_up": state.bytes_up,
        "bytes_down": state.bytes_down,
        "parameters": parameters,
        "simulated_seconds": state.simulated_seconds,
        "seconds": seconds,
        "headstart": headstart.__version__,
        "machine": _machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": "; ".join(task_of(run.task).notes) or None,
        "begun_with": note,
        "schema": SCHEMA,
        "spec": run.spec(),
    }


def _machine() -> str:
    """The processor and its number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(named, platform.processor() or platform.machine())}, {os.cpu_count()} cores"
