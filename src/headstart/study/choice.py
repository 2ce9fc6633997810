"""`executor: auto` in a study: timed once for each model and client optimizer, and kept in the study's folder.

Executors agree to rounding only. So that every process and every resumed run gives the same bits, all of them use the
choice that was made first and written down.
"""

import json
from dataclasses import replace
from pathlib import Path

from headstart import files
from headstart.engine.executors.auto import time_candidates
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.plan import plan
from headstart.errors import HeadstartError
from headstart.study.federations import federation_of
from headstart.study.spec import RunSpec

FILE = "executors.json"


def choose_executors(runs: list[RunSpec], out: Path) -> None:
    """Time the candidates for every client optimizer of the runs that asks for `auto` and has no choice yet."""
    kept = _read(out / FILE)
    for run in {str(run.client): run for run in runs if run.executor.name == "auto"}.values():
        if str(run.client) not in kept:
            kept[str(run.client)] = _timed(run)
            files.write(out / FILE, json.dumps(kept, indent=1))


def with_chosen_executor(run: RunSpec, out: Path) -> RunSpec:
    """The run with the executor that was chosen for it, where it asks for `auto`."""
    if run.executor.name != "auto":
        return run
    seconds = _read(out / FILE)[str(run.client)]
    return replace(run, executor=EXECUTORS.component(min(seconds, key=seconds.__getitem__)))


def _timed(run: RunSpec) -> dict[str, float]:
    federation = federation_of(run)
    network, task, client = federation.network, federation.task, federation.client
    x = network.initial(0)
    drawn = plan(run.seed, 1, federation.clients, federation.schedule)
    memories = [client.memory(x) for _ in drawn.clients_K]
    return time_candidates(network, task, client, x, client.shared(x), memories, run.client_rate, drawn)


def _read(path: Path) -> dict[str, dict[str, float]]:
    if not path.exists():
        return {}
    try:
        with files.explained(path, "read"):
            kept = json.loads(path.read_bytes())
        return {str(client): {str(name): float(s) for name, s in timed.items()} for client, timed in kept.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise HeadstartError(f"{path} is damaged ({error}); delete it and the folder's runs, and run again") from None
