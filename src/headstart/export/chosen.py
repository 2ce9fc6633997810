"""What a study recommends, or the pair that somebody names, as a recipe with the weights that it
begins with.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

import headstart
from headstart.errors import HeadstartError
from headstart.export.recipe import ALIKE, REGISTRIES, Recipe, Scaling
from headstart.kernels.threads import torch_threads
from headstart.parts import given
from headstart.parts.origin import Origin, within
from headstart.parts.registry import Component
from headstart.results.study_results import Best, Results, load
from headstart.starts import weights
from headstart.starts.weights import Weights
from headstart.study.beginnings import start_of, start_weights
from headstart.study.data import task_of
from headstart.study.federations import network_of
from headstart.study.file.run_spec import LATER
from headstart.study.folder.store import Folder
from headstart.study.folder.writer import Writer
from headstart.tables import STUDY_FILE
from headstart.tasks.base import TASKS, Pixels, Task, classification

CARRIED = ("model", "client", "server", "devices")
"""The parts that an app builds on machines where the study is not."""


@dataclass(frozen=True)
class Chosen:
    """A recipe, the file of the weights that it begins with, and a line on what it is."""

    recipe: Recipe
    content: bytes
    told: str


def origin_of(out: Path) -> Origin:
    """Where the parts of a study are looked up: in its folder, and its copies of modules there."""
    return Origin.of_file(out / STUDY_FILE)


def chosen(
    out: Path, start: str | None = None, client: str | None = None, server: str | None = None
) -> Chosen:
    """Return what a study recommends, or what is named of it.

    Args:
        out: the study's folder.
        start: from which start; by default where the verdict begins.
        client: the client optimizer; by default that of the best pair.
        server: the server optimizer, likewise.

    Raises:
        HeadstartError: the study recommends nothing and no pair is named, there is no such start or
            pair, or it cannot be deployed.
    """
    results = load(out)
    best = _best(results, start, client, server)
    spec = Folder(out).record(best.runs[best.seed])["spec"]
    for kind in CARRIED:
        if spec[kind]["name"] == given.GIVEN:
            raise HeadstartError(
                f"{kind}: a Python program gave {_written(spec[kind])!r}, and an app cannot name "
                "it; write it into a module, and have the study name module:function"
            )
    origin = origin_of(out)
    with within(origin):
        task = task_of(TASKS.component(_written(spec["task"]), "task"))
    values: dict[str, Any] = {name: _written(spec[name]) for name in REGISTRIES}
    values |= {name: spec.get(name, LATER.get(name)) for name in ALIKE}
    recipe = Recipe(
        headstart=headstart.__version__,
        study=str(results.settings.get("name") or "study"),
        verdict=results.verdict.text,
        run=best.runs[best.seed],
        **values,
        **_form(task),
        weights="",
    )
    _refuse_changed(recipe, spec, origin)
    content = weights.content(begin_with(recipe, out), {"run": recipe.run})
    digest = hashlib.sha256(content).hexdigest()
    return Chosen(recipe.model_copy(update={"weights": digest}), content, str(best))


def begin_with(recipe: Recipe, out: Path) -> Weights:
    """Return the weights that the run of a recipe began with, made again where they were not kept.

    Raises:
        HeadstartError: its start has rounds of its own.
    """
    run = recipe.spec(origin_of(out))
    if start_of(run.start).before is not None:
        raise HeadstartError(
            f"start: {recipe.start!r} has rounds of its own before the first, which an app does "
            "not carry out; name another with --start"
        )
    with torch_threads(1):
        state = Writer(out).write_all(start_weights(run, out))
    return Weights.of(state, network_of(run.model, run.task), task_of(run.task))


def _refuse_changed(recipe: Recipe, spec: Mapping[str, Any], origin: Origin) -> None:
    """Refuse parts that mean something else now than the record of the run says."""
    run = recipe.spec(origin)
    for name in REGISTRIES:
        if json.loads(json.dumps(getattr(run, name).identity())) != spec[name]:
            raise HeadstartError(
                f"{name}: {getattr(recipe, name)!r} is no longer what it was when the study was "
                "run; run the study again with this version"
            )


def _best(results: Results, start: str | None, client: str | None, server: str | None) -> Best:
    """The runs of what is named, and for the rest of what the study recommends."""
    where, which = results.verdict.where, results.verdict.which
    leading = results.best(start)
    if start is None and len(results.starts) > 1 and not where.names:
        raise HeadstartError(
            f"{results.folder}: the study recommends no start ({where.claim}); name one, such as "
            f"--start '{leading.start}'"
        )
    if client is None and server is None and not which.names:
        raise HeadstartError(
            f"{results.folder}: the study recommends no pair ({which.claim}); name one, such as "
            f"--client '{leading.client}' --server '{leading.server}'"
        )
    if client is None and server is None:
        return leading
    pair = f"{client or leading.client} + {server or leading.server}"
    return results.best(start or leading.start, pair)


def _written(identity: Mapping[str, Any]) -> str:
    """A part as a study file names it, from the record of a run."""
    kind, name, preset = identity["kind"], identity["name"], identity["preset"]
    parameters, changed = (tuple(map(tuple, identity[of])) for of in ("parameters", "changed"))
    return Component(kind, name, preset, parameters, changed).written


def _form(task: Task) -> dict[str, Any]:
    """What the data of a client look like, and how they are scored.

    Raises:
        HeadstartError: a program of the user's own scores or prepares them.
    """
    form: dict[str, Any] = {"input_shape": list(task.input_shape), "outputs": task.outputs}
    loss, ignored = "classification", None
    if task.objective is not classification:
        if task.tokens is None:
            raise HeadstartError(
                f"task {task.name!r}: its loss is a function of a program's, and an app knows only "
                "those of classification and of next tokens"
            )
        loss, ignored = "next_token", task.tokens.ignored
    return {**form, "loss": loss, "ignored": ignored, "scaling": _scaling(task)}


def _scaling(task: Task) -> Scaling | None:
    prepare = task.prepare()
    if type(prepare) is nn.Identity:
        return None
    if not isinstance(prepare, Pixels):
        raise HeadstartError(
            f"task {task.name!r}: a module of a program's prepares its inputs, and an app knows "
            "only images of bytes; prepare them in the model"
        )
    values = []
    for buffer in (prepare.mean, prepare.deviation):
        values.append([] if buffer is None else buffer.flatten().tolist())
    return Scaling(mean=values[0], deviation=values[1])
