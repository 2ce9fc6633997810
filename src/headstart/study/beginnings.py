"""Where runs begin: the weights of their starts, and the state before their first round.

What is made on the way and is to be kept, such as pre-trained weights, is yielded as an event.
"""

import json
import warnings
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from headstart import trees
from headstart.engine.federation import Federation, begin
from headstart.errors import HeadstartError
from headstart.parts.registry import Component
from headstart.starts import weights
from headstart.starts.base import STARTS, Artefact, Start
from headstart.starts.weights import NOTHING, Weights
from headstart.study.data import task_of
from headstart.study.events import Made
from headstart.study.federations import build_network, federation_of, network_of
from headstart.study.file.run_spec import SCHEMA, RunSpec
from headstart.study.folder import store
from headstart.study.folder.part_files import note_of
from headstart.study.rounds import Progress, do_rounds
from headstart.tasks.base import Task
from headstart.trees import Tree


def start_of(start: Component) -> Start:
    """Return what makes the weights of a start."""
    return _provided[start] if start in _provided else STARTS.build(start)


def provide(component: Component, start: Start) -> None:
    """Have this process use a start made in another way than by its factory: to the same weights,
    which it was sent.
    """
    _provided[component] = start


_provided: dict[Component, Start] = {}


def start_weights(run: RunSpec, out: Path) -> Generator[Made, None, Tree]:
    """Return the weights that a run begins from. What is the same for all seeds, or costly, is made
    once and kept.
    """
    start = start_of(run.start)
    network, task = network_of(run.model, run.task), task_of(run.task)
    if start.costly:
        made_of = [repr(run.start), start.content, repr(run.model), repr(run.task), run.seed]
        kept = _Kept(out, f"{run.start.name}-seed-{run.seed}", made_of)
        if (before := kept.read()) is not None:
            return before.state
        artefact = yield from _artefact(start.artefact, run, task, out)
        made = start.weights(artefact, network, task, run.seed)
        return (yield from kept.keep(Weights.of(made, network, task))).state
    artefact = yield from _artefact(start.artefact, run, task, out)
    return start.weights(artefact, network, task, run.seed)


def _artefact(
    artefact: Artefact | None, run: RunSpec, task: Task, out: Path
) -> Generator[Made, None, Weights]:
    if artefact is None:
        return NOTHING
    kept = _kept(artefact, run, out)
    if (before := kept.read()) is not None:
        return before
    return (yield from kept.keep(artefact.make(partial(build_network, run.model), task)))


def known_of_start(run: RunSpec, out: Path) -> str | None:
    """Return what is to be known of the weights that a run began from, in one line; None where
    there is nothing.
    """
    artefact = start_of(run.start).artefact
    origin = "" if artefact is None else _kept(artefact, run, out).origin()
    return "; ".join(filter(None, (origin, note_of(run.start, out)))) or None


class _Kept:
    """Weights in the folder's `starts/`, under a name and a hash of what they are made of."""

    def __init__(self, out: Path, name: str, made_of: Sequence[Any]) -> None:
        self._made_of = list(made_of)
        identity = json.dumps([SCHEMA, *made_of])
        self._name = f"{name}-{sha256(identity.encode()).hexdigest()[:16]}.safetensors"
        self._path = out / store.STARTS_FOLDER / self._name

    def read(self) -> Weights | None:
        """Return them; None where they are not there, or are damaged and are to be made again, to
        the same numbers.
        """
        if not self._path.exists():
            return None
        try:
            if weights.note_of(self._path) != {"made_of": json.loads(json.dumps(self._made_of))}:
                raise HeadstartError(f"{self._path} holds what another start is made of")
            return weights.load(self._path)
        except HeadstartError as error:
            warnings.warn(f"{error}; it is made again", stacklevel=2)
            return None

    def origin(self) -> str:
        """How they were made, in a line; empty where nobody wrote one, or they are not there."""
        try:
            return weights.origin_of(self._path)
        except HeadstartError:
            return ""

    def keep(self, made: Weights) -> Generator[Made, None, Weights]:
        """Have them written, and return them as they are read back."""
        yield Made(self._name, weights.content(made, {"made_of": self._made_of}))
        return weights.load(self._path)


def _kept(artefact: Artefact, run: RunSpec, out: Path) -> _Kept:
    return _Kept(out, "pre-trained", [artefact.made_of, repr(run.model)])


def begun(run: RunSpec, out: Path) -> Generator[Made, None, tuple[Tree, Federation, Progress]]:
    """Return a run before its first round: the weights that it begins from, its federation, and its
    state.
    """
    whole = yield from start_weights(run, out)
    before = start_of(run.start).before
    if before is None:
        federation = federation_of(run, whole)
        return whole, federation, _at_round_0(federation, whole)
    part = federation_of(replace(run, trainable=before.trainable), whole)
    done = do_rounds(part, _at_round_0(part, whole), before.rounds, before.rounds, [])
    whole = {name: done.state.x.get(name, leaf) for name, leaf in whole.items()}
    federation = federation_of(run, whole)
    progress = _at_round_0(federation, whole)
    spent = {
        name: getattr(done.state, name) for name in ("bytes_up", "bytes_down", "simulated_seconds")
    }
    progress.state = replace(progress.state, **spent)
    progress.diverged_at = None if done.diverged_at is None else 0
    return whole, federation, progress


def _at_round_0(federation: Federation, weights: Tree) -> Progress:
    """What is not trained is left to the network."""
    trained = {name: leaf for name, leaf in weights.items() if name not in federation.network.held}
    return Progress(begin(federation, trees.to(trained, federation.network.device)))
