"""A task of the user's own tensors or arrays: what each client has, and what is tested on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart import rng
from headstart.errors import HeadstartError
from headstart.study.given.examples import Pair, examples_of, pairs_of, task_and_clients
from headstart.tasks.base import ClientRows, Examples, Objective, Rows, Task, classification


def own_task(
    data: Iterable[Pair] | Mapping[Any, Pair],
    test: Pair | Sequence[Pair] | Mapping[Any, Pair],
    *,
    validation: float | Pair = 0.0,
    name: str = "own data",
    outputs: int | None = None,
    objective: Objective = classification,
    classes: Sequence[str] = (),
) -> Task:
    """The task of your own data, for `Study(task=...)`.

    Args:
        data: inputs [n_i, ...] and targets [n_i, ...] of each client, as `simulate` takes them. The
            partition `natural`, which a study then has unless it says otherwise, deals them so.
        test: inputs and targets that the global model is measured on, a tuple; or those of each
            client, a list of tuples in the order of the clients, or a mapping like that of `data`.
        validation: what tuning measures on: inputs and targets, or the share of each client's rows
            that is set aside.
        name: what tables and pages call it.
        outputs: width of the model's output; by default one more than the largest label.
        objective: (outputs, targets) -> the loss of each row, how many predictions are right, and
            of how many.
        classes: the names of the labels 0, 1, ...

    Raises:
        HeadstartError: the rows do not fit together.
    """
    if not isinstance(name, str):
        raise HeadstartError(f"name: expected a text, got {type(name).__name__}")
    pairs = pairs_of(data)
    of_clients = [examples_of(pair, f"data[{i}]", objective) for i, pair in enumerate(pairs)]
    tests = _of_clients(test, data, len(pairs))
    owned = [examples_of(pair, f"test[{i}]", objective) for i, pair in enumerate(tests)]
    held_out = _pair(Examples.joined(owned) if owned else examples_of(test, "test", objective))
    task, _ = task_and_clients([_pair(rows) for rows in of_clients], held_out, outputs, objective)
    sizes = list(map(len, of_clients))
    task = replace(task, name=name, classes=_names(classes, task), owners=ClientRows(_ends(sizes)))
    if owned:
        whose = np.repeat(np.arange(len(owned)), list(map(len, owned)))
        task = replace(task, test_owners=whose)
    if isinstance(validation, tuple | list):
        return replace(task, validation=examples_of(validation, "validation", objective))
    return _set_aside(task, sizes, validation)


def _of_clients(test: Any, data: Any, count: int) -> list[Pair]:
    """The test rows of each client, in the order of the clients; none where all share them."""
    if isinstance(test, Mapping):
        if not isinstance(data, Mapping) or test.keys() != data.keys():
            raise HeadstartError("test: expected the clients of data, by the same names")
        return [test[client] for client in data]
    if not isinstance(test, list) or not all(isinstance(pair, tuple | list) for pair in test):
        return []
    if len(test) != count:
        raise HeadstartError(
            f"test: expected one pair for each of the {count} clients, or one tuple of inputs and "
            f"targets, got a list of {len(test)}"
        )
    return test


def _names(classes: Any, task: Task) -> tuple[str, ...]:
    names = tuple(classes) if isinstance(classes, list | tuple) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise HeadstartError(f"classes: expected the names of the labels, got {classes!r}")
    if names and len(names) != task.outputs:
        raise HeadstartError(
            f"classes: expected the names of {task.outputs} labels, got {len(names)}"
        )
    return names


def _set_aside(task: Task, sizes: Sequence[int], share: float) -> Task:
    """The task with a share of each client's rows for validation; every client keeps a row."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise HeadstartError(
            f"validation: expected a share from 0 to below 1, or inputs and targets, got {share!r}"
        )
    draw = rng.generator(0, "validation of own data")
    firsts = _ends(sizes)[:-1]
    aside: list[Rows] = []
    for first, size in zip(firsts, sizes, strict=True):
        count = min(round(share * size), size - 1)
        aside.append(first + draw.permutation(size)[:count])
    numbers = list(map(len, aside))
    taken = np.sort(np.concatenate(aside))
    rest = np.setdiff1d(np.arange(sum(sizes)), taken)
    train = (
        Examples(task.train.inputs[rest], task.train.targets[rest]) if len(taken) else task.train
    )
    left = (np.asarray(sizes) - numbers).tolist()
    held = Examples(task.train.inputs[taken], task.train.targets[taken])
    whose = np.repeat(np.arange(len(sizes)), numbers)
    return replace(
        task, train=train, validation=held, owners=ClientRows(_ends(left)), validation_owners=whose
    )


def _ends(sizes: Sequence[int]) -> Rows:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _pair(rows: Examples) -> tuple[Any, Any]:
    return rows.inputs, rows.targets
