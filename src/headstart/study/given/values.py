"""The values that each kind of part may be: what a value is called, what makes the part of it, what
it holds.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np
import torch
from torch import Tensor, nn

from headstart import rng
from headstart.clients.base import ClientOptimizer
from headstart.engine.federation import Federation
from headstart.errors import HeadstartError
from headstart.models.conversion.building import built
from headstart.parts.validation import shown
from headstart.probes.base import Probe
from headstart.servers.base import ServerOptimizer
from headstart.starts.base import Start
from headstart.study.given.attributes import required
from headstart.study.given.start import start_of
from headstart.tasks.base import Task
from headstart.trees import undense


@dataclass(frozen=True)
class Read:
    """What a value is as a part: its usual name, what makes it, and what its digest is made of."""

    name: str
    factory: Callable[..., Any]
    contents: tuple[object, ...]


def is_weights(value: Any) -> bool:
    """Whether a value is a state dict: a mapping with tensors or arrays in it."""
    return isinstance(value, Mapping) and any(
        isinstance(leaf, Tensor | np.ndarray) for leaf in value.values()
    )


def are_rows(value: Any) -> bool:
    """Whether a value is the rows of each client: lists of whole numbers, ranges or arrays."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(
        isinstance(rows, np.ndarray | Tensor | range) or _are_numbers(rows) for rows in value
    )


def _are_numbers(rows: Any) -> bool:
    return isinstance(rows, list | tuple) and all(isinstance(row, int | np.integer) for row in rows)


def _task(value: Any, path: str) -> Read | None:
    if not isinstance(value, Task):
        return None
    return Read(value.name, lambda: value, (value,))


def _model(value: Any, path: str) -> Read | None:
    if isinstance(value, nn.Module):
        raise HeadstartError(
            f"{path}: expected a function that builds a new module, as every seed draws weights of "
            "its own, got a module; give a function as model, and the module among starts"
        )
    if not callable(value):
        return None
    wanted = required(value)
    if wanted not in (0, 2):
        takes = "it does not say what it takes" if wanted is None else f"it takes {wanted}"
        raise HeadstartError(
            f"{path}: expected a function of no argument or of (input_shape, outputs), but "
            f"{takes}; write a short one around it"
        )
    return Read(_name_of(value, "model"), _Builder(value, wanted), (value,))


class _Builder:
    """Calls a function that builds a model, with what it asks for."""

    def __init__(self, function: Callable[..., Any], wanted: int) -> None:
        self._function, self._wanted = function, wanted
        self._last: Callable[[], object] = lambda: None

    def __call__(self, input_shape: tuple[int, ...], outputs: int) -> Any:
        built = self._function(input_shape, outputs) if self._wanted else self._function()
        if isinstance(built, nn.Module):
            if built is self._last():
                raise HeadstartError(
                    "model: the function returns the same module every time, so that every seed "
                    "would have the same weights; build the module in the function, and give its "
                    "weights among starts"
                )
            self._last = ref(built)
        return built


def as_drawn(function: Callable[..., Any]) -> object:
    """What tells two models apart whose code cannot: the module as seed 0 draws it."""
    if required(function):
        return None
    module = built(function, rng.key(0, "initial weights"))
    return [repr(module), module.state_dict()]


def _start(value: Any, path: str) -> Read | None:
    if isinstance(value, Start):
        return Read("own", lambda: value, (value,))
    weights = value.state_dict() if isinstance(value, nn.Module) else value
    if not isinstance(weights, Mapping):
        return None
    tree = {key: _leaf(key, leaf, path) for key, leaf in weights.items()}
    return Read("weights", start_of(tree, "weights"), (tree,))


def _leaf(name: Any, leaf: Any, path: str) -> Tensor:
    """A tensor of a state dict, in memory of its own.

    Raises:
        HeadstartError: it is none, or holds no numbers that could be read.
    """
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fiub":
        leaf = torch.from_numpy(np.ascontiguousarray(leaf))
    if not isinstance(name, str) or not isinstance(leaf, Tensor):
        got = f"an array of {leaf.dtype}" if isinstance(leaf, np.ndarray) else type(leaf).__name__
        raise HeadstartError(f"{path}: expected tensors by the names of parameters, got {got}")
    if kind := undense(leaf):
        raise HeadstartError(
            f"{path}: expected a dense tensor under {name!r}, got one that is {kind}"
        )
    return leaf.detach().cpu().clone()


def _split(value: Any, path: str) -> Read | None:
    if callable(value):
        deal, name, contents = value, _name_of(value, "own"), (value,)
    elif are_rows(value):
        rows = tuple(np.asarray(of_client, dtype=np.int64) for of_client in value)
        deal, name, contents = (lambda task, population, seed: rows), "own", (rows,)
    else:
        return None

    def checked(task: Task, population: int, seed: int) -> Sequence[Any]:
        return _dealt(deal(task, population, seed), task, population, path)

    return Read(name, lambda: checked, contents)


def _dealt(found: Any, task: Task, population: int, path: str) -> list[Any]:
    """The rows of each client as a split gives them, held to its contract: every row has one
    client.

    Raises:
        HeadstartError: they are no rows, a row has no client or two, or there are other clients
            than were asked for.
    """
    found = list(found) if isinstance(found, Iterable) else [found]
    if not are_rows(found):
        raise HeadstartError(
            f"{path}: expected the rows of each client as whole numbers, got {shown(found)}"
        )
    rows = [np.asarray(of_client, dtype=np.int64) for of_client in found]
    dealt, count = np.concatenate(rows), len(task.train)
    different = len(np.unique(dealt))
    if len(dealt) != count or different != count or not _within(dealt, count):
        raise HeadstartError(
            f"{path}: expected every training row, 0 to {count - 1}, with one client, "
            f"got {len(dealt)} rows of which {different} differ"
        )
    if population != len(rows):
        raise HeadstartError(
            f"population: expected the {len(rows)} clients of {path}, got {population}"
        )
    return rows


def _within(rows: Any, count: int) -> bool:
    return bool(len(rows)) and int(rows.min()) >= 0 and int(rows.max()) < count


def _instance_of(kind: Any) -> Callable[[Any, str], Read | None]:
    def read(value: Any, path: str) -> Read | None:
        return Read("own", lambda: value, (value,)) if isinstance(value, kind) else None

    return read


def _function(value: Any, path: str) -> Read | None:
    is_one = callable(value) and not isinstance(value, type)
    return Read("own", lambda: value, (value,)) if is_one else None


def _probe(value: Any, path: str) -> Read | None:
    if not callable(value):
        return None

    def checked(federation: Federation) -> Probe:
        made = value(federation)
        if not isinstance(made, Probe):
            raise HeadstartError(
                f"{path}: expected a function that returns a Probe, got {type(made).__name__} "
                "from it"
            )
        return made

    return Read(_name_of(value, "own"), checked, (value,))


def _name_of(function: Any, otherwise: str) -> str:
    name = re.sub(r"[^\w.+-]", "", str(getattr(function, "__name__", "")))
    return otherwise if name in ("", "lambda") else name


READERS: dict[str, Callable[[Any, str], Read | None]] = {
    "task": _task,
    "model": _model,
    "start": _start,
    "client optimizer": _instance_of(ClientOptimizer),
    "server optimizer": _instance_of(ServerOptimizer),
    "partition": _split,
    "device setting": _function,
    "probe": _probe,
}

TAKEN = {
    "task": "the name of a task, or one that headstart.own_task(data, test) makes",
    "model": "the name of a model, or a function that builds a module",
    "start": "the name of a start, a state dict or a module",
    "client optimizer": "the name of a client optimizer, or a ClientOptimizer",
    "server optimizer": "the name of a server optimizer, or a ServerOptimizer",
    "partition": "the name of a partition, the rows of each client, or a function "
    "(task, population, seed) of them",
    "device setting": "the name of a device setting, or a function of one",
    "probe": "the name of a probe, or a function (federation) of one",
}
