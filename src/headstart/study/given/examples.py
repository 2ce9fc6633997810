"""Tensors, arrays or lists as a program has them, read as the examples of clients, a pair each."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headstart.engine.plan import Population
from headstart.errors import HeadstartError, reason
from headstart.study.data import check_clients, check_examples
from headstart.tasks.base import Examples, Objective, Task, classification
from headstart.trees import undense

Pair = tuple[Any, Any]
"""Inputs and targets of a client: tensors, numpy arrays, or what numpy makes arrays of."""


def task_and_clients(
    data: Iterable[Pair], test: Pair, outputs: int | None, objective: Objective
) -> tuple[Task, Population]:
    """A task of the rows of all clients, and which rows are whose.

    Raises:
        HeadstartError: the data are not what is expected, or not of one shape.
    """
    pairs = pairs_of(data)
    of_clients = [examples_of(pair, f"data[{i}]", objective) for i, pair in enumerate(pairs)]
    held_out = examples_of(test, "test", objective)
    for i, rows in enumerate((*of_clients, held_out)):
        if (shape := rows.inputs.shape[1:]) != of_clients[0].inputs.shape[1:]:
            place = "test" if rows is held_out else f"data[{i}]"
            raise HeadstartError(
                f"{place}: expected inputs of shape {list(of_clients[0].inputs.shape[1:])} as in "
                f"data[0], got {list(shape)}"
            )
    ends = np.cumsum([len(rows) for rows in of_clients])
    clients = Population(
        [np.arange(end - len(rows), end) for end, rows in zip(ends, of_clients, strict=True)]
    )
    check_clients(clients)
    train = Examples.joined(of_clients)
    if outputs is None and train.targets.is_floating_point():
        raise HeadstartError(
            "outputs: expected the width of the model's output, as the targets are no labels"
        )
    wide = outputs if outputs is not None else int(train.targets.max()) + 1
    task = Task("own data", train, held_out, held_out, wide, objective)
    check_examples(task)
    return task, clients


def pairs_of(data: Any) -> list[Pair]:
    """Return the pairs of the clients, whose names of a mapping are left out."""
    if isinstance(data, Mapping):
        data = data.values()
    if isinstance(data, Tensor | np.ndarray | str) or not isinstance(data, Iterable):
        raise HeadstartError(
            f"data: expected (inputs, targets) of each client, got {type(data).__name__}"
        )
    pairs = list(data)
    if not pairs:
        raise HeadstartError("data: expected inputs and targets of at least one client, got none")
    return pairs


def examples_of(pair: Any, place: str, objective: Objective) -> Examples:
    """Return the examples of a pair; `place` is how an error names it."""
    try:
        inputs, targets = pair
    except (TypeError, ValueError):
        raise HeadstartError(
            f"{place}: expected a pair of tensors or arrays, inputs [n, ...] and targets [n, ...], "
            f"got {type(pair).__name__}"
        ) from None
    inputs, targets = (
        _tensor(inputs, f"{place}: the inputs"),
        _tensor(targets, f"{place}: the targets"),
    )
    if len(inputs) != len(targets):
        raise HeadstartError(
            f"{place}: expected as many targets as inputs, got {len(targets)} and {len(inputs)}"
        )
    finite = inputs.isfinite() if inputs.ndim == 1 else inputs.isfinite().flatten(1).all(1)
    if not finite.all():
        row = int((~finite).to(torch.uint8).argmax())
        raise HeadstartError(
            f"{place}: row {row} of the inputs has a value that is not finite (NaN or infinite)"
        )
    if objective is classification:
        targets = _labels(targets, place)
    return Examples(inputs, targets)


def _tensor(values: Any, place: str) -> Tensor:
    """A tensor of what a user has: a tensor, an array, a data frame, lists of numbers."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise HeadstartError(
            f"{place}: expected a number in every place, got an array of which "
            f"{int(np.ma.getmaskarray(values).sum())} are masked; fill them or leave their rows out"
        )
    try:
        tensor = values if isinstance(values, Tensor) else torch.as_tensor(_writable(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise HeadstartError(
            f"{place}: expected numbers, got {type(values).__name__} ({reason(error)})"
        ) from None
    if kind := undense(tensor):
        raise HeadstartError(f"{place}: expected dense numbers, got a tensor that is {kind}")
    if not tensor.ndim:
        raise HeadstartError(f"{place}: expected a row for each example, [n, ...], got one number")
    if tensor.is_complex():
        raise HeadstartError(
            f"{place}: expected real numbers, got {tensor.dtype}; give their real and imaginary "
            "parts"
        )
    return tensor.detach()


def _writable(values: Any) -> npt.NDArray[Any]:
    """An array of what a user has; a copy of one that must not be written to, which torch warns
    of.
    """
    array = np.asarray(values)
    return array if array.flags.writeable else array.copy()


def _labels(targets: Tensor, place: str) -> Tensor:
    """Class labels as torch's loss takes them, whatever kind of whole numbers they are."""
    if not targets.is_floating_point():
        return targets.long()
    if targets.ndim == 1 and len(targets):
        raise HeadstartError(
            f"{place}: expected class labels, which are whole numbers, got {targets.dtype}; "
            "convert them with .long(), or give `outputs` and an `objective` for other targets"
        )
    return targets
