"""One client's program: its steps, its gradient at x, and what it uploads.

It is written for one client, free of choices that depend on values, so that it can be vectorised,
recorded and compiled. `over` says how a function of one client becomes one of all that are computed
together: `stacked` gives it axes of runs and of clients, `workers` leaves it as it is.

Shape suffixes: B rows of a batch, M rows of a client.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.func import grad, vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.plan import PAD
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree

CLIENT, RUN, ALL = "client", "run", "all"
"""Who an argument of one client's function differs by: each client has its own, each run has, or it
is one for all.
"""


class Over(Protocol):
    """Makes a function of one client one of those that are computed together."""

    def __call__(self, function: Callable[..., Any], /, **axes: str) -> Callable[..., Any]:
        """Return it. `axes`: for each argument by its name, in their order, who it differs by."""


Layout = Callable[[Tensor], Tensor]
"""Lays a batch of inputs out in memory."""

Gradient = Callable[[Tree, Tensor, Tensor, Tensor, Tensor], tuple[Tree, Tensor]]


class Program(NamedTuple):
    """What a round asks of its clients.

    step(x, y, local, shared, memory, tally, inputs, targets, rate, rows_B, key) changes y, local,
        tally in place; `tally` [2] is the sum of the losses and the count of what they predict.
    gradient_at_x(x, inputs, targets, rows_M, key) -> (the gradient over all rows of a client,).
    finish(x, y, at_x, shared, memory, rate, steps) -> (its upload, x - y).
    """

    step: Callable[..., tuple[()]]
    gradient_at_x: Callable[..., tuple[Tree]]
    finish: Callable[..., tuple[Upload, Tree]]


def as_it_is(given: Any, /, **axes: str) -> Any:
    """Return what is given: the layout of tensors, or the program of one client."""
    return given


def over_runs_and_clients(function: Callable[..., Any], /, **axes: str) -> Callable[..., Any]:
    """Give a function of one client, the last of whose arguments is a scalar, an axis of clients.

    And before it one of runs, where the last argument has two.
    """
    assert list(axes) == list(signature(function).parameters), "each argument, in its place"
    of_each = axes.values()
    over_clients = vmap(function, in_dims=tuple(0 if axis == CLIENT else None for axis in of_each))
    over_runs = vmap(over_clients, in_dims=tuple(None if axis == ALL else 0 for axis in of_each))

    def over_all(*arguments: Any) -> Any:
        return (over_clients if arguments[-1].ndim == 1 else over_runs)(*arguments)

    return over_all


def program(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    over: Over = as_it_is,
    layout: Layout = as_it_is,
) -> Program:
    """Write down what a client does.

    Args:
        network: the model as a function of its parameters.
        task: the task, for its loss.
        client: the client optimizer.
        over: makes a function of one client one of those that are computed together.
        layout: lays a batch of inputs out in memory.
    """
    gradient = masked_gradient(network, task, layout)

    def direction(
        x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree,
        inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor,
    ) -> tuple[Tree, Tree, Tensor]:  # fmt: skip
        g, tally = gradient(y, inputs, targets, rows_B, key)
        return *client.direction(g, x, y, local, shared, memory), tally

    directions = over(
        direction, x=RUN, y=CLIENT, local=CLIENT, shared=RUN, memory=CLIENT,
        inputs=ALL, targets=ALL, rows_B=CLIENT, key=CLIENT,
    )  # fmt: skip

    def step(
        x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree, tally: Tensor,
        inputs: Tensor, targets: Tensor, rate: Tensor, rows: Tensor, key: Tensor,
    ) -> tuple[()]:  # fmt: skip
        d, after, of_batch = directions(x, y, local, shared, memory, inputs, targets, rows, key)
        for name, leaf in y.items():
            leaf.sub_(_along(rate, leaf) * d[name])
        for name, leaf in local.items():
            leaf.copy_(after[name])
        tally.add_(of_batch)
        return ()

    def gradient_at_x(
        x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor
    ) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def finish(
        x: Tree, y: Tree, at_x: Tree, shared: Tree, memory: Tree, rate: Tensor, steps: Tensor
    ) -> tuple[Upload, Tree]:
        upload = client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory)
        return upload, trees.subtract(x, y)

    gradients_at_x = over(gradient_at_x, x=RUN, inputs=ALL, targets=ALL, rows_M=CLIENT, key=CLIENT)
    finishes = over(
        finish, x=RUN, y=CLIENT, at_x=CLIENT, shared=RUN, memory=CLIENT, rate=RUN, steps=CLIENT
    )
    return Program(step, gradients_at_x, finishes)


def masked_gradient(network: Network, task: Task, layout: Layout = as_it_is) -> Gradient:
    """Return (y, inputs, targets, rows_B, key) -> (gradient at y of the mean loss over the rows,
    loss and count [2]).

    `inputs` and `targets` are those of the training split, from which `rows_B` are taken; padding
    counts for nothing. The loss is a sum, and the count that of what its losses predict.
    """

    def loss(
        y: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        real_B, rows_B = rows_B != PAD, rows_B.clamp(min=0)
        scores = task.objective(network(y, layout(inputs[rows_B]), key), targets[rows_B])
        real_B = real_B.to(scores.loss_B.dtype)
        total, count = (scores.loss_B * real_B).sum(), (scores.count_B * real_B).sum()
        return total / count.clamp(min=1), (total, count)

    gradient_and_counts = grad(loss, has_aux=True)

    def gradient(
        y: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor
    ) -> tuple[Tree, Tensor]:
        g, tally = gradient_and_counts(y, inputs, targets, rows_B, key)
        return g, torch.stack(tally)

    return gradient


def _along(rate: Tensor, leaf: Tensor) -> Tensor:
    """Return the rates in the shape in which each meets its client's part of a leaf; one rate meets
    all of it.
    """
    return rate.reshape(*rate.shape, *[1] * (leaf.ndim - rate.ndim)) if rate.ndim else rate
