"""Values that a Python program puts where a study file has names: each becomes a part with a name
and a digest.

What is taken for each kind of part, and what it is called unless `own_part` says otherwise:

| key | values | name |
|---|---|---|
| task | a `Task`, as `own_task` makes | the task's |
| model | a function `() -> nn.Module` or `(input_shape, outputs) -> nn.Module` | the function's |
| starts | a state dict (tensors by name), an `nn.Module`, a `Start` | `weights`, or `own` |
| clients, servers, devices | a `ClientOptimizer`, a `ServerOptimizer`, `Devices` | `own` |
| partitions | rows of each client; `(task, population, seed)` -> that | the function's, or `own` |
| probes | a function `(federation) -> Probe` | the function's |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.parts import given
from headstart.parts.given import Given
from headstart.parts.registry import Component
from headstart.parts.validation import shown
from headstart.parts.written import AS
from headstart.starts.base import Start
from headstart.study.given.digest import digest
from headstart.study.given.values import READERS, TAKEN, are_rows, as_drawn, is_weights
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

    def __repr__(self) -> str:
        return f"<own part {self.name or ''}: {type(self.value).__name__}>".replace(" :", ":")


def own_part(value: Any, *, name: str | None = None, version: str | None = None) -> OwnPart:
    """A value for a study, under a name of your own: `starts=["random", own_part(weights,
    name="imagenet")]`.

    Args:
        name: what tables and pages call it: letters, digits, blanks and .+-_.
        version: stands for what the value holds, in place of a digest of it. Change it whenever the
            value changes; runs of another version are other runs.
    """
    if isinstance(value, str | OwnPart) or value is None:
        raise HeadstartError(
            f"own_part: expected a value such as a function or tensors, got {shown(value)}"
        )
    for what, text in (("name", name), ("version", version)):
        if text is not None and not (isinstance(text, str) and text):
            raise HeadstartError(f"own_part: expected a text as {what}, got {text!r}")
    return OwnPart(value, name, version)


def as_written(keys: Mapping[str, Any]) -> tuple[dict[str, Any], list[Given]]:
    """The keys of a study with every value of Python as a study file would name it, and the values.

    Raises:
        HeadstartError: a value is none of what its key takes, or has no digest.
    """
    found: list[Given] = []
    written = _axes(keys, "", found)
    by_name = {(one.kind, one.name): str(one) for one in found}
    if isinstance(further := keys.get("also"), list | tuple):
        written["also"] = list(further)
        for i, axes in enumerate(further):
            if isinstance(axes, Mapping):
                written["also"][i] = _axes(axes, f"also[{i}].", found)
    if isinstance(keys.get("rates"), list | tuple):
        written["rates"] = [
            _rates(row, f"rates[{i}].", by_name, found) for i, row in enumerate(keys["rates"])
        ]
    if isinstance(task := _bare(keys.get("task")), Task) and task.owners is not None:
        written.setdefault("partitions", ["natural"])
    return written, found


def _axes(keys: Mapping[str, Any], path: str, found: list[Given]) -> dict[str, Any]:
    written = {key: _plain(value) for key, value in keys.items()}
    for key, kind in KINDS.items():
        if key in keys:
            value = keys[key]
            single = (
                key in ("task", "model")
                or not isinstance(value, list | tuple)
                or _is_split(key, value)
            )
            written[key] = (
                _written(value, kind, f"{path}{key}", found)
                if single
                else [
                    _written(one, kind, f"{path}{key}[{i}]", found) for i, one in enumerate(value)
                ]
            )
    return written


def _plain(value: Any) -> Any:
    """Numbers of NumPy and torch as Python has them, also those of a list; all else as it is."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray | Tensor) and value.ndim < 2):
        return value.tolist()
    if isinstance(value, list) and any(isinstance(one, np.generic) for one in value):
        return [_plain(one) for one in value]
    return value


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
        return _with_values(value, path, found)
    if isinstance(value, Mapping) and not (kind == "start" and is_weights(value)):
        return value
    asked = value if isinstance(value, OwnPart) else OwnPart(value)
    read = READERS[kind](asked.value, path)
    if read is None:
        raise HeadstartError(f"{path}: expected {TAKEN[kind]}, got {type(asked.value).__name__}")
    name = asked.name or read.name
    if asked.version is not None:
        sha256, _ = digest("version", asked.version)
    else:
        sha256, unread = digest(*read.contents)
        if unread and kind == "model":
            sha256, unread = digest(sha256, as_drawn(asked.value))
        if unread:
            raise HeadstartError(
                f"{path}: cannot tell when {name!r} changes, as it holds something of type "
                f"{unread}; say so yourself: headstart.own_part(..., version='1')"
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
    if not isinstance(value, Mapping) or is_weights(value):
        return False
    inner = [inside for key, inside in value.items() if key != AS]
    return "name" in value or all(isinstance(inside, Mapping | None) for inside in inner)


def _with_values(value: Mapping[str, Any], path: str, found: list[Given]) -> Any:
    """Such a start, whose parameters `task` and `start` may be values."""

    def inside(parameters: Any) -> Any:
        if not isinstance(parameters, Mapping):
            return parameters
        written = dict(parameters)
        if isinstance(_bare(written.get("task")), Task):
            written["task"] = _written(written["task"], "task", f"{path}.task", found)
        inner = _bare(written.get("start"))
        if isinstance(inner, nn.Module | Start) or is_weights(inner):
            written["start"] = _written(written["start"], "start", f"{path}.start", found)
        return written

    return (
        inside(value) if "name" in value else {name: inside(each) for name, each in value.items()}
    )


def _is_split(key: str, value: Sequence[Any]) -> bool:
    """Whether a list is itself a value: the rows of each client."""
    return key == "partitions" and are_rows(value)
