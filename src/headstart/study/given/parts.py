"""Values that a Python program puts where a study file has names: each becomes a part with a name
and a digest.

What is taken for each kind of part, and what it is called unless `own_part` says otherwise:

| key | values | name |
|---|---|---|
| task | a `Task`, as `own_task` makes | the task's |
| model | a function `() -> nn.Module` or `(input_shape, outputs) -> nn.Module` | the function's |
| starts | a state dict (tensors or arrays by name), an `nn.Module`, a `Start` | `weights`, or `own` |
| clients, servers, devices | a `ClientOptimizer`, a `ServerOptimizer`, `Devices` | `own` |
| partitions | rows of each client; a function `(task, population, seed)` -> that | the function's, or `own` |
| probes | a function `(federation) -> Probe` | the function's |
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np
import torch
from torch import Tensor, nn

from headstart import given, rng
from headstart.clients.base import ClientOptimizer
from headstart.engine.devices import Devices
from headstart.errors import HeadstartError
from headstart.given import Given
from headstart.models.network import _built
from headstart.registry import Component
from headstart.servers.base import ServerOptimizer
from headstart.starts.base import Start
from headstart.study.given.contents import digest, required
from headstart.study.given.weights import start_of
from headstart.tasks.base import Task

KINDS = {
    "task": "task",
    "model": "model",
    "starts": "start",
    "clients": "client optimizer",
    "servers": "server optimizer",
    "partitions": "partition",
    "devices": "device setting",
    "probes": "probe",
}
"""Of the keys that take values of Python, the kind of part."""

IN_RATES = {"start": "starts", "client": "clients", "server": "servers", "partition": "partitions"}
"""How a row of `rates` calls the axes that it names; devices is devices there too."""


@dataclass(frozen=True, eq=False)
class OwnPart:
    """A value with the name that tables and pages show. See `own_part`."""

    value: Any
    name: str | None = None
    version: str | None = None


def own_part(value: Any, *, name: str | None = None, version: str | None = None) -> OwnPart:
    """A value for a study, under a name of your own: `starts=["random", own_part(weights,
    name="imagenet")]`.

    Args:
        name: what tables and pages call it: letters, digits, blanks and .+-_.
        version: stands for what the value holds, in place of a digest of it. Change it whenever the
            value changes; runs of another version are other runs.
    """
    for what, text in (("name", name), ("version", version)):
        if text is not None and not (isinstance(text, str) and text):
            raise HeadstartError(f"own_part: expected a text as {what}, got {text!r}")
    return OwnPart(value, name, version)


@dataclass(frozen=True)
class _Read:
    """What a value is as a part: its usual name, what makes it, and what its digest is made of."""

    name: str
    factory: Callable[..., Any]
    contents: tuple[object, ...]


def as_written(keys: Mapping[str, Any]) -> tuple[dict[str, Any], list[Given]]:
    """The keys of a study with every value of Python as a study file would name it, and the values.

    Raises:
        HeadstartError: a value is none of what its key takes, or has no digest.
    """
    found: list[Given] = []
    written = _axes(keys, "", found)
    by_name = {(one.kind, one.name): str(one) for one in found}
    for i, axes in enumerate(keys.get("also") or ()) if isinstance(keys.get("also"), list | tuple) else ():
        if isinstance(axes, Mapping):
            written["also"] = [*written["also"][:i], _axes(axes, f"also[{i}].", found), *written["also"][i + 1 :]]
    if isinstance(keys.get("rates"), list | tuple):
        written["rates"] = [_rates(row, f"rates[{i}].", by_name, found) for i, row in enumerate(keys["rates"])]
    if isinstance(task := _bare(keys.get("task")), Task) and task.owners is not None:
        written.setdefault("partitions", ["natural"])
    return written, found


def _axes(keys: Mapping[str, Any], path: str, found: list[Given]) -> dict[str, Any]:
    written = dict(keys)
    for key, kind in KINDS.items():
        if key in keys:
            value = keys[key]
            single = key in ("task", "model") or not isinstance(value, list | tuple) or _is_split(key, value)
            written[key] = (
                _written(value, kind, f"{path}{key}", found)
                if single
                else [_written(one, kind, f"{path}{key}[{i}]", found) for i, one in enumerate(value)]
            )
    return written


def _rates(row: Any, path: str, by_name: Mapping[tuple[str, str], str], found: list[Given]) -> Any:
    """A row of rates, whose parts may be values, or the names of values that the study has."""
    if not isinstance(row, Mapping):
        return row
    written = dict(row)
    for name, value in row.items():
        if kind := KINDS.get(str(IN_RATES.get(name, name))):
            named = by_name.get((kind, value)) if isinstance(value, str) else None
            written[name] = named or _written(value, kind, f"{path}{name}", found)
    return written


def _written(value: Any, kind: str, path: str, found: list[Given]) -> Any:
    """How a study file would name a part; of one that it can name already, that."""
    if isinstance(value, str | int | float | Component) or value is None:
        return value
    if kind == "start" and _is_named(value):
        return _with_tasks(value, path, found)
    if isinstance(value, Mapping) and not (kind == "start" and _is_weights(value)):
        return value
    asked = value if isinstance(value, OwnPart) else OwnPart(value)
    read = _READERS[kind](asked.value, path)
    if read is None:
        raise HeadstartError(f"{path}: expected {_TAKEN[kind]}, got {type(asked.value).__name__}")
    name = asked.name or read.name
    if asked.version is not None:
        sha256, _ = digest("version", asked.version)
    else:
        sha256, unread = digest(*read.contents)
        if unread and kind == "model":
            sha256, unread = digest(sha256, _as_drawn(asked.value))
        if unread:
            raise HeadstartError(
                f"{path}: cannot tell when {name!r} changes, as it holds something of type {unread}; "
                "say so yourself: headstart.own_part(..., version='1')"
            )
    one = given.keep(Given(kind, name, sha256, read.factory))
    found.append(one)
    return str(one)


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, OwnPart) else value


def _is_named(value: Any) -> bool:
    """Whether this is a start that a study file could name, with parameters: `{proxy: {task:
    ...}}`.
    """
    if not isinstance(value, Mapping) or _is_weights(value):
        return False
    return "name" in value or all(isinstance(inside, Mapping | None) for inside in value.values())


def _with_tasks(value: Mapping[str, Any], path: str, found: list[Given]) -> Any:
    """Such a start, whose parameter `task` may be a value."""

    def inside(parameters: Any) -> Any:
        if not isinstance(parameters, Mapping) or not isinstance(_bare(parameters.get("task")), Task):
            return parameters
        return {**parameters, "task": _written(parameters["task"], "task", f"{path}.task", found)}

    return inside(value) if "name" in value else {name: inside(parameters) for name, parameters in value.items()}


def _is_weights(value: Any) -> bool:
    return isinstance(value, Mapping) and any(isinstance(leaf, Tensor | np.ndarray) for leaf in value.values())


def _is_split(key: str, value: Sequence[Any]) -> bool:
    """Whether a list is itself a value: the rows of each client."""
    return key == "partitions" and _are_rows(value)


def _are_rows(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(rows, np.ndarray | Tensor | range) or _are_numbers(rows) for rows in value)


def _are_numbers(rows: Any) -> bool:
    return isinstance(rows, list | tuple) and all(isinstance(row, int | np.integer) for row in rows)


def _task(value: Any, path: str) -> _Read | None:
    if not isinstance(value, Task):
        return None
    return _Read(value.name, lambda: value, (value,))


def _model(value: Any, path: str) -> _Read | None:
    if isinstance(value, nn.Module):
        raise HeadstartError(
            f"{path}: expected a function that builds a new module, as every seed draws weights of its own, "
            f"got a module; give a function as model, and the module among starts"
        )
    if not callable(value):
        return None
    wanted = required(value)
    if wanted not in (0, 2):
        takes = "it does not say what it takes" if wanted is None else f"it takes {wanted}"
        raise HeadstartError(
            f"{path}: expected a function of no argument or of (input_shape, outputs), but {takes}; "
            "write a short one around it"
        )
    return _Read(_name_of(value, "model"), _Builder(value, wanted), (value,))


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
                    "model: the function returns the same module every time, so that every seed would have the same "
                    "weights; build the module in the function, and give its weights among starts"
                )
            self._last = ref(built)
        return built


def _as_drawn(function: Callable[..., Any]) -> object:
    """What tells two models apart whose code cannot: the module as seed 0 draws it."""
    if required(function):
        return None
    module = _built(function, rng.key(0, "initial weights"))
    return [repr(module), module.state_dict()]


def _start(value: Any, path: str) -> _Read | None:
    if isinstance(value, Start):
        return _Read("own", lambda: value, (value,))
    weights = value.state_dict() if isinstance(value, nn.Module) else value
    if not isinstance(weights, Mapping):
        return None
    tree = {}
    for key, leaf in weights.items():
        tensor = torch.from_numpy(leaf) if isinstance(leaf, np.ndarray) else leaf
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise HeadstartError(f"{path}: expected tensors by the names of parameters, got {type(leaf).__name__}")
        tree[key] = tensor.detach().clone()
    return _Read("weights", start_of(tree, "weights"), (tree,))


def _split(value: Any, path: str) -> _Read | None:
    if callable(value):
        return _Read(_name_of(value, "own"), lambda: value, (value,))
    if not _are_rows(value):
        return None
    rows = [np.asarray(of_client, dtype=np.int64) for of_client in value]

    def deal(task: Task, population: int, seed: int) -> Sequence[Any]:
        dealt = np.concatenate(rows)
        if len(dealt) != len(task.train) or len(np.unique(dealt)) != len(dealt) or not _within(dealt, len(task.train)):
            raise HeadstartError(
                f"{path}: expected every training row, 0 to {len(task.train) - 1}, with one client, "
                f"got {len(dealt)} rows of which {len(np.unique(dealt))} differ"
            )
        if population != len(rows):
            raise HeadstartError(f"population: expected the {len(rows)} clients of {path}, got {population}")
        return rows

    return _Read("own", lambda: deal, tuple(rows))


def _within(rows: Any, count: int) -> bool:
    return bool(len(rows)) and int(rows.min()) >= 0 and int(rows.max()) < count


def _instance_of(kind: Any) -> Callable[[Any, str], _Read | None]:
    def read(value: Any, path: str) -> _Read | None:
        return _Read("own", lambda: value, (value,)) if isinstance(value, kind) else None

    return read


def _probe(value: Any, path: str) -> _Read | None:
    return _Read(_name_of(value, "own"), value, (value,)) if callable(value) else None


def _name_of(function: Any, otherwise: str) -> str:
    name = re.sub(r"[^\w.+-]", "", str(getattr(function, "__name__", "")))
    return otherwise if name in ("", "lambda") else name


_READERS: dict[str, Callable[[Any, str], _Read | None]] = {
    "task": _task,
    "model": _model,
    "start": _start,
    "client optimizer": _instance_of(ClientOptimizer),
    "server optimizer": _instance_of(ServerOptimizer),
    "partition": _split,
    "device setting": _instance_of(Devices),
    "probe": _probe,
}

_TAKEN = {
    "task": "the name of a task, or one that headstart.own_task(data, test) makes",
    "model": "the name of a model, or a function that builds a module",
    "start": "the name of a start, a state dict or a module",
    "client optimizer": "the name of a client optimizer, or a ClientOptimizer",
    "server optimizer": "the name of a server optimizer, or a ServerOptimizer",
    "partition": "the name of a partition, the rows of each client, or a function (task, population, seed) of them",
    "device setting": "the name of a device setting, or Devices",
    "probe": "the name of a probe, or a function (federation) of one",
}
