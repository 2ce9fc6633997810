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

    step(y, local, x, shared, memory, seen, inputs, targets, rate, rows_B, key) changes y, local and
    seen in place;
        `seen` [2] is the sum of the losses and the count of what they predict.
    gradient_at_x(x, inputs, targets, rows_M, key) -> (the gradient over all rows of a client,).
    finish(y, at_x, memory, x, shared, rate, steps) -> (its upload, x - y).
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
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree,
        inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor,
    ) -> tuple[Tree, Tree, Tensor]:  # fmt: skip
        g, seen = gradient(y, inputs, targets, rows_B, key)
        return *client.direction(g, y, x, local, shared, memory), seen

    directions = over(
        direction, y=CLIENT, local=CLIENT, x=RUN, shared=RUN, memory=CLIENT,
        inputs=ALL, targets=ALL, rows_B=CLIENT, key=CLIENT,
    )  # fmt: skip

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen: Tensor,
        inputs: Tensor, targets: Tensor, rate: Tensor, rows: Tensor, key: Tensor,
    ) -> tuple[()]:  # fmt: skip
        d, after, of_batch = directions(y, local, x, shared, memory, inputs, targets, rows, key)
        for name, leaf in y.items():
            leaf.sub_(_along(rate, leaf) * d[name])
        for name, leaf in local.items():
            leaf.copy_(after[name])
        seen.add_(of_batch)
        return ()

    def gradient_at_x(
        x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor
    ) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def finish(
        y: Tree, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, steps: Tensor
    ) -> tuple[Upload, Tree]:
        upload = client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory)
        return upload, trees.subtract(x, y)

    gradients_at_x = over(gradient_at_x, x=RUN, inputs=ALL, targets=ALL, rows_M=CLIENT, key=CLIENT)
    finishes = over(
        finish, y=CLIENT, at_x=CLIENT, memory=CLIENT, x=RUN, shared=RUN, rate=RUN, steps=CLIENT
    )
    return Program(step, gradients_at_x, finishes)


def masked_gradient(network: Network, task: Task, layout: Layout = as_it_is) -> Gradient:
    """Return (y, inputs, targets, rows_B, key) -> (gradient at y of the mean loss over the rows,
    what was seen [2]).

    `inputs` and `targets` are those of the training split, from which `rows_B` are taken; padding
    counts for nothing. What was seen is the sum of the losses and the count of what they predict.
    """

    def loss(
        y: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        real_B, rows_B = rows_B != PAD, rows_B.clamp(min=0)
        scores = task.objective(network(y, layout(inputs[rows_B]), key), targets[rows_B])
        real_B = real_B.to(scores.loss_B.dtype)
        total, count = (scores.loss_B * real_B).sum(), (scores.count_B * real_B).sum()
        return total / count.clamp(min=1), (total, count)

    with_seen = grad(loss, has_aux=True)

    def gradient(
        y: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor
    ) -> tuple[Tree, Tensor]:
        g, seen = with_seen(y, inputs, targets, rows_B, key)
        return g, torch.stack(seen)

    return gradient


def _along(rate: Tensor, leaf: Tensor) -> Tensor:
    """Return the rates in the shape in which each meets its client's part of a leaf; one rate meets
    all of it.
    """
    return rate.reshape(*rate.shape, *[1] * (leaf.ndim - rate.ndim)) if rate.ndim else rate
