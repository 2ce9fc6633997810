"""A task of the user's own tensors or arrays: what each client has, and what is tested on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart import rng
from headstart.errors import HeadstartError
from headstart.study.simulate import _examples, _own_task
from headstart.tasks.base import ClientRows, Examples, Objective, Rows, Task, classification

Part = tuple[Any, Any]
"""Inputs [n, ...] and targets [n, ...], as tensors or arrays."""


def own_task(
    clients: Sequence[Part],
    test: Part | Sequence[Part],
    *,
    validation: float | Part = 0.0,
    name: str = "own data",
    outputs: int | None = None,
    objective: Objective = classification,
    classes: Sequence[str] = (),
) -> Task:
    """The task of your own data, for `Study(task=...)`.

    Args:
        clients: inputs [n_i, ...] and targets [n_i, ...] of each client; the partition `natural`
            deals them so.
        test: inputs and targets that the global model is measured on; or, as a list, those of each
            client.
        validation: what tuning measures on: inputs and targets, or the share of each client's rows
            that is set aside.
        name: what tables and pages call it.
        outputs: width of the model's output; by default one more than the largest label.
        objective: (outputs, targets) -> the loss of each row, how many predictions are right, and
            of how many.
        classes: the names of the labels 0, 1, ...

    Raises:
        HeadstartError: the parts do not fit together.
    """
    parts = [_tensors(part) for part in _listed(clients, "clients")]
    owned = isinstance(test, list)
    if owned and len(test) != len(parts):
        raise HeadstartError(f"test: expected one pair for each of the {len(parts)} clients, got {len(test)}")
    of_clients = [_examples(_tensors(part), f"test[{i}]", objective) for i, part in enumerate(test)] if owned else []
    held_out = _joined(of_clients) if owned else _tensors(test)
    task, _ = _own_task(parts, held_out, outputs, objective)
    sizes = [len(targets) for _, targets in parts]
    task = replace(task, name=name, classes=tuple(classes), owners=ClientRows(_ends(sizes)))
    if owned:
        task = replace(task, test_owners=np.repeat(np.arange(len(parts)), [len(part) for part in of_clients]))
    if isinstance(validation, tuple | list):
        return replace(task, validation=_examples(_tensors(validation), "validation", objective))
    return _set_aside(task, sizes, validation)


def _set_aside(task: Task, sizes: Sequence[int], share: float) -> Task:
    """The task with a share of each client's rows as its validation part; every client keeps a row."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise HeadstartError(f"validation: expected a share from 0 to below 1, or inputs and targets, got {share!r}")
    draw = rng.generator(0, "validation of own data")
    firsts = _ends(sizes)[:-1]
    aside: list[Rows] = [
        first + draw.permutation(size)[: min(round(share * size), size - 1)]
        for first, size in zip(firsts, sizes, strict=True)
    ]
    taken = np.sort(np.concatenate(aside))
    rest = np.setdiff1d(np.arange(sum(sizes)), taken)
    train = Examples(task.train.inputs[rest], task.train.targets[rest]) if len(taken) else task.train
    left = [size - len(rows) for size, rows in zip(sizes, aside, strict=True)]
    held = Examples(task.train.inputs[taken], task.train.targets[taken])
    whose = np.repeat(np.arange(len(sizes)), [len(rows) for rows in aside])
    return replace(task, train=train, validation=held, owners=ClientRows(_ends(left)), validation_owners=whose)


def _ends(sizes: Sequence[int]) -> Rows:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _joined(parts: Sequence[Examples]) -> tuple[Tensor, Tensor]:
    return torch.cat([part.inputs for part in parts]), torch.cat([part.targets for part in parts])


def _listed(clients: Any, place: str) -> list[Any]:
    if isinstance(clients, Tensor | np.ndarray | str | bytes) or not hasattr(clients, "__iter__"):
        raise HeadstartError(
            f"{place}: expected a list of pairs, inputs and targets of each client, got {type(clients).__name__}"
        )
    return list(clients)


def _tensors(pair: Any) -> Any:
    """Arrays of a pair as tensors; what is no pair is left to the check of what it is."""
    if not isinstance(pair, tuple | list):
        return pair
    return tuple(torch.from_numpy(part) if isinstance(part, np.ndarray) else part for part in pair)
