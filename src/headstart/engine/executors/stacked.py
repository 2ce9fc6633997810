"""The cohort as one tensor program with a leading axis of clients.

The step of one client is written once, vectorised over clients with `torch.func.vmap`, and traced to a flat list of
tensor operations the first time that its shapes are seen, so that neither autograd nor vmap runs again. For models
whose time goes into starting operations rather than into arithmetic this is several times faster than the loop.

Shape suffixes: K clients of the cohort, B rows of a batch, M rows of the largest client.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import EXECUTORS, Alignment, Cohort, Executor
from headstart.engine.plan import RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("stacked", source="arXiv 2108.02117 (FedJAX) vectorises clients the same way")
def stacked(network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """All clients at once: fastest where models are small."""

    def loss(y: Tree, inputs_B: Tensor, targets_B: Tensor, real_B: Tensor, key: Tensor) -> tuple[Tensor, Any]:
        scores = task.objective(network(y, inputs_B, key), targets_B)
        real_B = real_B.to(scores.loss_B.dtype)
        total, count = (scores.loss_B * real_B).sum(), (scores.count_B * real_B).sum()
        return total / count.clamp(min=1), (total, count)

    gradient: Callable[..., tuple[Tree, tuple[Tensor, Tensor]]] = grad(loss, has_aux=True)

    def begin(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> Tree:
        return client.begin(x, shared, memory)

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, batch: tuple[Tensor, ...], key: Tensor,
        active: Tensor, rate: Tensor,
    ) -> tuple[Tree, Tree, Tensor, Tensor]:  # fmt: skip
        g, (total, count) = gradient(y, *batch, key)
        d, new_local = client.direction(g, y, x, local, shared, memory)
        y = trees.map_tree(lambda y, d: y - rate * torch.where(active, d, 0), y, d)
        local = trees.map_tree(lambda new, old: torch.where(active, new, old), new_local, local)
        return y, local, total, count

    def gradient_at_x(x: Tree, batch: tuple[Tensor, ...], key: Tensor) -> Tree:
        g, _ = gradient(x, *batch, key)
        return g

    def finish(
        y: Tree, steps: Tensor, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor
    ) -> tuple[Upload, Tree]:
        return client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory), trees.subtract(x, y)

    finish_K = vmap(finish, in_dims=(0, 0, 0, 0, None, None, None))

    def end(*arguments: Any) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tensor]:
        *arguments_, weights_K = arguments
        upload_K, delta_K = finish_K(*arguments_)
        reports_K = (weights_K > 0).to(weights_K.dtype)
        length_K = torch.stack([(leaf_K.flatten(1) ** 2).sum(1) for leaf_K in delta_K.values()]).sum(0).sqrt()
        unit_K = reports_K / length_K.clamp(min=torch.finfo(length_K.dtype).tiny)
        total, unit_total = _weighted(reports_K, delta_K), _weighted(unit_K, delta_K)
        return (
            _weighted(weights_K, upload_K.update),
            _weighted(weights_K, upload_K.message),
            upload_K.memory,
            (reports_K * length_K**2).sum(),
            trees.dot(total, total),
            trees.dot(unit_total, unit_total),
        )

    begin_K = vmap(begin, in_dims=(None, None, 0, 0))
    step_K = _traced(vmap(step, in_dims=(0, 0, None, None, 0, 0, 0, 0, None)))
    gradient_at_x_K = _traced(vmap(gradient_at_x, in_dims=(None, 0, 0)))
    end_K = _traced(end)

    def batch(rows: object) -> tuple[Tensor, Tensor, Tensor]:
        rows_KB = torch.as_tensor(rows)
        real_KB, rows_KB = rows_KB >= 0, rows_KB.clamp(min=0)
        return task.train.inputs[rows_KB], task.train.targets[rows_KB], real_KB

    def execute(x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan) -> Cohort:
        K = len(plan.clients_K)
        rate_ = torch.tensor(rate, dtype=network.dtype)
        key_K = torch.as_tensor(plan.keys_K, dtype=torch.int32)
        steps_K = torch.as_tensor(plan.steps_K)
        memory = {name: torch.stack([kept[name] for kept in memories]) for name in memories[0]}
        y = trees.map_tree(lambda leaf: leaf.expand(K, *leaf.shape), x)
        local = begin_K(x, shared, memory, key_K)
        losses, counts = torch.zeros(K, dtype=network.dtype), torch.zeros(K, dtype=network.dtype)
        for s in range(int(plan.steps_K.max())):
            active_K = steps_K > s
            y, local, loss_K, count_K = step_K(
                y, local, x, shared, memory, batch(plan.rows_KSB[:, s]), step_key(key_K, s), active_K, rate_
            )
            losses, counts = losses + loss_K, counts + count_K
        at_x = gradient_at_x_K(x, batch(plan.all_rows_KM), step_key(key_K, -1)) if client.wants_grad_at_x else {}
        weights_K = torch.as_tensor(plan.weights_K, dtype=network.dtype)
        update, message, memory_K, squared_norms, total, unit_total = end_K(
            y, steps_K, at_x, memory, x, shared, rate_, weights_K
        )
        kept = [
            {name: leaf[k] for name, leaf in memory_K.items()} if plan.steps_K[k] else old
            for k, old in enumerate(memories)
        ]
        local_loss = losses.sum() / counts.sum().clamp(min=1)
        alignment = Alignment(squared_norms, total, unit_total, plan.reporting)
        return Cohort(update, message, kept, local_loss, alignment)

    return execute


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)


def _traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Record the tensor operations of a function once for every new combination of shapes, then replay them."""
    recorded: dict[Any, tuple[Callable[..., Any], list[Any]]] = {}

    def call(*arguments: Any) -> Any:
        leaves, structure = pytree.tree_flatten(arguments)
        signature = (str(structure), *((leaf.shape, leaf.dtype) for leaf in leaves))
        if signature not in recorded:
            result_structure: list[Any] = []

            def flat(*leaves: Tensor) -> list[Tensor]:
                results, structure_ = pytree.tree_flatten(function(*pytree.tree_unflatten(leaves, structure)))
                result_structure[:] = [structure_]
                return results

            recorded[signature] = (make_fx(flat)(*leaves).forward, result_structure)
        graph, (result,) = recorded[signature]
        return pytree.tree_unflatten(graph(*leaves), result)

    return call
