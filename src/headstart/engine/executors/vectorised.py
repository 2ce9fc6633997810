"""The work of one client as programs over clients, and over runs with one more axis before it.

Each is written once for a client, vectorised with `torch.func.vmap`, and recorded (`traced`) the first time that its
shapes are seen.

Shape suffixes: K clients, B rows of a batch, M rows of a client. What ends in K has an axis of runs before it where
several are computed.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload, begin_with_nothing
from headstart.engine.executors.program import masked_gradient
from headstart.kernels.recorded import Traced
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


class Programs(NamedTuple):
    """What a round asks of its clients.

    begin(x, shared, memory, key_K) -> (y, local, seen_K), what clients start their steps with, in memory of their own;
    step(y, local, x, shared, memory, seen_K, inputs, targets, rows_KB, key_K, rate_K) changes the first two and
    seen_K [K, 2] (sum of losses, count) in place;
    gradient_at_x(x, inputs, targets, rows_KM, key_K) -> (the gradient over all rows of a client,);
    end[watched](y, at_x, memory, x, shared, rate, steps_K, seen_K, weights_K) -> memory, and the fields of `Sums`.
    """

    begin: Traced
    step: Traced
    gradient_at_x: Traced
    end: Mapping[bool, Traced]


def vectorised(network: Network, task: Task, client: ClientOptimizer, compiled: bool) -> Programs:
    """The programs of a client optimizer."""
    return Programs(
        begin=Traced(_begin(client), compiled),
        step=Traced(_step(network, task, client), compiled),
        gradient_at_x=Traced(_gradient_at_x(network, task), compiled),
        end={watched: Traced(partial(_end(client), watched=watched), compiled) for watched in (False, True)},
    )


def _begin(client: ClientOptimizer) -> Callable[..., tuple[Tree, Tree, Tensor]]:
    def of_client(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> Tree:
        return client.begin(x, shared, memory)

    locals_ = _over(of_client, "rrkk")

    def begin(x: Tree, shared: Tree, memory: Tree, key_K: Tensor) -> tuple[Tree, Tree, Tensor]:
        of_run = key_K.ndim - 1
        y_K = {name: leaf.unsqueeze(of_run).expand(*key_K.shape, *leaf.shape[of_run:]) for name, leaf in x.items()}
        local_K = {} if client.begin is begin_with_nothing else locals_(x, shared, memory, key_K)
        y_K, local_K = (  # not `contiguous`, which copies nothing where there is one client
            trees.map_tree(lambda leaf: leaf.clone(memory_format=torch.contiguous_format), tree)
            for tree in (y_K, local_K)
        )
        return y_K, local_K, next(iter(x.values())).new_zeros(*key_K.shape, 2)

    return begin


def _step(network: Network, task: Task, client: ClientOptimizer) -> Callable[..., tuple[()]]:
    gradient = masked_gradient(network, task)

    def direction(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor,
        key: Tensor,
    ) -> tuple[Tree, Tree, Tensor]:  # fmt: skip
        g, of_batch = gradient(y, inputs, targets, rows_B, key)
        return *client.direction(g, y, x, local, shared, memory), torch.stack(of_batch)

    directions = _over(direction, "kkrrk..kk")

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen_K: Tensor, inputs: Tensor, targets: Tensor,
        rows_KB: Tensor, key_K: Tensor, rate_K: Tensor,
    ) -> tuple[()]:  # fmt: skip
        d_K, after_K, of_batch_K = directions(y, local, x, shared, memory, inputs, targets, rows_KB, key_K)
        for name, leaf_K in y.items():
            leaf_K.sub_(rate_K.reshape(*rate_K.shape, *[1] * (leaf_K.ndim - rate_K.ndim)) * d_K[name])
        for name, leaf_K in local.items():
            leaf_K.copy_(after_K[name])
        seen_K.add_(of_batch_K)
        return ()

    return step


def _gradient_at_x(network: Network, task: Task) -> Callable[..., tuple[Tree]]:
    gradient = masked_gradient(network, task)

    def gradient_at_x(x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    return _over(gradient_at_x, "r..kk")


def _end(client: ClientOptimizer) -> Callable[..., tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]]:
    def finish(
        y: Tree, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, steps: Tensor
    ) -> tuple[Upload, Tree]:
        return client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory), trees.subtract(x, y)

    def end(
        y: Tree, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, steps_K: Tensor, seen_K: Tensor,
        weights_K: Tensor, *, watched: bool,
    ) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:  # fmt: skip
        upload_K, delta_K = vmap(finish, in_dims=(0, 0, 0, None, None, None, 0))(
            y, at_x, memory, x, shared, rate, steps_K
        )
        update, message = _weighted(weights_K, upload_K.update), _weighted(weights_K, upload_K.message)
        if not watched:
            return upload_K.memory, update, message, seen_K.sum(0), weights_K.new_zeros(()), {}, {}
        reports_K = (weights_K > 0).to(weights_K.dtype)
        length_K = (
            torch.stack([(leaf_K.reshape(len(leaf_K), -1) ** 2).sum(1) for leaf_K in delta_K.values()]).sum(0).sqrt()
        )
        unit_K = reports_K / length_K.clamp(min=torch.finfo(length_K.dtype).tiny)
        squared_norms = (reports_K * length_K**2).sum()
        total, unit_total = _weighted(reports_K, delta_K), _weighted(unit_K, delta_K)
        return upload_K.memory, update, message, seen_K.sum(0), squared_norms, total, unit_total

    def ends(*arguments: Any, watched: bool) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:
        of_run = partial(end, watched=watched)
        weights_K: Tensor = arguments[-1]
        return of_run(*arguments) if weights_K.ndim == 1 else vmap(of_run)(*arguments)

    return ends


def _over(function: Callable[..., Any], axes: str) -> Callable[..., Any]:
    """`function` over clients, and over runs where its last argument has an axis of them.

    `axes` has a letter for each argument: k for one value a client, r for one a run, and a point for one for all.
    """
    over_clients = vmap(function, in_dims=tuple(0 if axis == "k" else None for axis in axes))
    over_runs = vmap(over_clients, in_dims=tuple(None if axis == "." else 0 for axis in axes))
    return lambda *arguments: (over_clients if arguments[-1].ndim == 1 else over_runs)(*arguments)


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)
