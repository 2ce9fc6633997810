"""What all runs of a study have in common, in the object store: put there once, and mapped on every
node that has it.

A parcel is a dict of plain values, bytes and arrays, so that a node can look at it before it is
known whether its Headstart is the same.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.parts.registry import Component
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING
from headstart.study.beginnings import provide as provide_start
from headstart.study.data import provide as provide_task
from headstart.study.data import task_of
from headstart.study.federations import network_of
from headstart.study.file.run_spec import RunSpec
from headstart.study.places.cluster.packing import Packing
from headstart.tasks.base import Examples
from headstart.trees import Tree

Parcel = Mapping[str, Any]

SPLITS = ("train", "validation", "test")


def of_task(component: Component, packing: Packing) -> Parcel:
    """Return the parcel of a task: its rows as arrays, and what is around them."""
    task = task_of(component)
    nothing = Examples(torch.empty(0), torch.empty(0))
    frame = replace(task, train=nothing, validation=nothing, test=nothing, mapped=False)
    rows = {}
    for split in SPLITS:
        examples = getattr(task, split)
        rows[split] = _sent(examples.inputs), _sent(examples.targets)
    return {"kind": "task", "frame": packing.packed((component, frame)), "rows": rows}


def of_start(run: RunSpec, packing: Packing) -> Parcel | None:
    """Return the parcel of the weights that a run's start reads from a file of the user's, for the
    run's seed; None where it reads none.
    """
    start = STARTS.build(run.start)
    if not start.content or start.artefact is not None:
        return None
    network, task = network_of(run.model, run.task), task_of(run.task)
    weights = start.weights(NOTHING, network, task, run.seed)
    frame = run.start, run.seed, start.content, start.before
    leaves = {name: _sent(leaf) for name, leaf in weights.items()}
    return {"kind": "start", "frame": packing.packed(frame), "leaves": leaves}


def of_file(path: Path, name: str) -> Parcel:
    """Return the parcel of a file of the study's folder, which has that name there."""
    return {"kind": "file", "name": name, "content": np.fromfile(path, np.uint8)}


def of_modules(folder: Path) -> Parcel:
    """Return the parcel of the copies of the study's own modules."""
    contents = {}
    for path in sorted(folder.rglob("*.py")):
        contents[path.relative_to(folder).as_posix()] = path.read_bytes()
    return {"kind": "modules", "contents": contents}


def size_of(parcel: Parcel) -> int:
    """Return the bytes of its arrays."""
    if parcel["kind"] == "task":
        pairs = parcel["rows"].values()
        return sum(inputs[0].nbytes + targets[0].nbytes for inputs, targets in pairs)
    if parcel["kind"] == "start":
        return sum(leaf[0].nbytes for leaf in parcel["leaves"].values())
    return int(parcel["content"].nbytes) if parcel["kind"] == "file" else 0


def take_task(parcel: Parcel, packing: Packing) -> None:
    """Have this process use the rows of a parcel as a task's."""
    component, frame = packing.unpacked(parcel["frame"])
    rows: dict[str, Any] = {}
    for split, (inputs, targets) in parcel["rows"].items():
        rows[split] = Examples(_mapped(inputs), _mapped(targets))
    provide_task(component, lambda: replace(frame, **rows))


def take_start(parcel: Parcel, packing: Packing) -> None:
    """Have this process use the weights of a parcel as a start's, for one seed."""
    component, seed, content, before = packing.unpacked(parcel["frame"])
    leaves: Tree = {}
    for name, leaf in parcel["leaves"].items():
        leaves[name] = _mapped(leaf).clone()
    _weights.setdefault(component, {})[seed] = leaves

    def weights(artefact: Any, network: Any, task: Any, seed: int) -> Tree:
        return {name: leaf.clone() for name, leaf in _weights[component][seed].items()}

    provide_start(component, Start(weights, content=content, before=before))


_weights: dict[Component, dict[int, Tree]] = {}
"""By start and seed, what a run begins from."""


def _sent(tensor: Tensor) -> tuple[Any, torch.dtype, tuple[int, ...]]:
    """A tensor as an array of bytes, with its type and shape: NumPy lacks some types."""
    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return content, tensor.dtype, tuple(tensor.shape)


def _mapped(sent: tuple[Any, torch.dtype, tuple[int, ...]]) -> Tensor:
    """The tensor, in the memory that the array is in."""
    content, dtype, shape = sent
    with warnings.catch_warnings():
        # The store's memory cannot be written to, and rows of a task are only read.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(content).view(dtype).reshape(shape)
