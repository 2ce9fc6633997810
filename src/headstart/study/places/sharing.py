"""Tasks for several processes: decoded once, laid out in files, and mapped into the memory of each.

The pages of such a file are in memory once, however many processes read them; a process that wrote
to one would get a copy of its own.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headstart.parts.registry import Component
from headstart.study.data import provide, task_of
from headstart.tasks.base import Examples, Task

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Laid:
    """A tensor in a file of its own, in rows."""

    path: Path
    shape: tuple[int, ...]
    dtype: npt.DTypeLike

    def tensor(self) -> Tensor:
        """The tensor, mapped: nothing is read before it is used."""
        if 0 in self.shape:
            return torch.from_numpy(np.empty(self.shape, self.dtype))
        return torch.from_numpy(np.memmap(self.path, self.dtype, "c", shape=self.shape))


@dataclass(frozen=True)
class LaidTask:
    """A task whose rows are in files: `frame` has none, `splits` names the files of inputs and
    targets.
    """

    frame: Task
    splits: Mapping[str, tuple[Laid, Laid]]

    def task(self) -> Task:
        """The task, with its rows mapped."""
        rows: dict[str, Any] = {}
        for name, (inputs, targets) in self.splits.items():
            rows[name] = Examples(inputs.tensor(), targets.tensor())
        return replace(self.frame, **rows)


Shared = dict[Component, LaidTask]


@contextmanager
def laid_out(tasks: Iterable[Component]) -> Iterator[Shared]:
    """The tasks in files, which are removed at the end.

    Each process makes anew what is left out: tasks that are mapped from files already, and those
    that cannot be sent (the loss is a lambda, or the rows are of a type that NumPy lacks).
    """
    shared: Shared = {}
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        for i, component in enumerate(dict.fromkeys(tasks)):
            task = task_of(component)
            if task.mapped:
                continue
            nothing = Examples(torch.empty(0), torch.empty(0))
            frame = replace(task, train=nothing, validation=nothing, test=nothing)
            try:
                ForkingPickler.dumps(frame)  # as sending it will
                splits = {
                    name: _laid(getattr(task, name), Path(folder) / f"{i}-{name}")
                    for name in SPLITS
                }
            except Exception:  # whatever sending somebody's own loss may raise
                continue
            shared[component] = LaidTask(frame, splits)
        yield shared


def take(shared: Shared) -> None:
    """Use these tasks in this process, instead of making them."""
    for component, laid in shared.items():
        provide(component, laid.task)


def _laid(examples: Examples, stem: Path) -> tuple[Laid, Laid]:
    pair = []
    for name in ("inputs", "targets"):
        array = getattr(examples, name).contiguous().numpy()
        path = stem.with_name(f"{stem.name}-{name}")
        array.tofile(path)
        pair.append(Laid(path, array.shape, array.dtype))
    return pair[0], pair[1]
