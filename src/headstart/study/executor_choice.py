"""`executor: auto` in a study: timed once for each model and client optimizer, and kept in the
study's folder.

Executors agree to rounding only. So that every process and every resumed run gives the same bits,
all of them use the choice that was made first and written down.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart import files
from headstart.engine.executors.auto import RUNS_AT_ONCE, Timing, fastest, time_candidates
from headstart.engine.executors.base import EXECUTORS, Assignment
from headstart.engine.federation import Federation
from headstart.engine.plan import plan
from headstart.engine.streaming import at_hand
from headstart.errors import HeadstartError
from headstart.study.federations import federation_of
from headstart.study.file.run_spec import RunSpec
from headstart.study.groups import groups_of

FILE = "executors.json"

Choice = dict[str, Any]
"""`executor`: what was chosen; `timings`: seconds_per_round and seconds_to_compile of each
candidate; `left_out`, where there are such: why others could not be computed with.
"""


def choose_executors(runs: list[RunSpec], out: Path) -> None:
    """Time the candidates for every client optimizer of the runs that asks for `auto` and has no
    choice yet.
    """
    kept = _read(out / FILE)
    asking = [run for run in runs if run.executor.name == "auto"]
    # so that there is a group for every process
    most = max(1, min(RUNS_AT_ONCE, len(asking) // (os.cpu_count() or 1)))
    for kind, run in {_kind(run): run for run in asking}.items():
        if kind not in kept:
            alike = [other for other in asking if _kind(other) == kind]
            at_once = max(map(len, groups_of(alike, lambda _: most)))
            rounds = sum(other.rounds for other in alike)
            try:
                timings, left_out = timed(federation_of(run), rounds, at_once)
            except Exception as error:  # the runs fail in the same way, and their folders say why
                if isinstance(error, HeadstartError):
                    raise
                continue
            kept[kind] = {
                "executor": fastest(timings),
                "timings": {name: timing._asdict() for name, timing in timings.items()},
                **({"left_out": left_out} if left_out else {}),
            }
            files.write_record(out / FILE, kept)


def chosen_executor(run: RunSpec, out: Path) -> Choice:
    """The executor that was chosen for a run that asks for `auto`, with the timings; of another,
    its own.

    If timing failed because a part of the user's own raises, it is the loop, so that the run
    reports that error.
    """
    if run.executor.name != "auto":
        return {"executor": str(run.executor)}
    return _read(out / FILE).get(_kind(run), {"executor": "loop"})


def with_executor(run: RunSpec, choice: Choice) -> RunSpec:
    """The run with the executor that was chosen for it."""
    if choice["executor"] == str(run.executor):
        return run
    return replace(run, executor=EXECUTORS.component(choice["executor"]))


def _kind(run: RunSpec) -> str:
    """What the runs of one choice have in common."""
    return str(run.client) if run.trainable == "all" else f"{run.client}, trainable {run.trainable}"


def timed(
    federation: Federation, rounds: int = 0, runs: int = 1
) -> tuple[dict[str, Timing], dict[str, str]]:
    """`time_candidates` on the first cohort of a federation, with newly drawn weights."""
    network, task, client = federation.network, federation.task, federation.client
    x = network.initial(0)
    drawn = plan(federation.seed, 1, federation.clients, federation.schedule)
    memories = [client.memory(x) for _ in drawn.clients_K]
    if task.train.inputs.device != network.device:
        task, drawn = at_hand(task, drawn, network.device)
    asked = Assignment(x, client.shared(x), memories, federation.client_rate, drawn)
    return time_candidates(network, task, client, asked, rounds, runs)


def _read(path: Path) -> dict[str, Choice]:
    if not path.exists():
        return {}
    remedy = "delete it and the folder's runs, and run again"
    kept = files.read_record(path, remedy)
    with files.damage_explained(path, remedy):
        for choice in kept.values():
            EXECUTORS.component(str(choice["executor"]))
    return kept
