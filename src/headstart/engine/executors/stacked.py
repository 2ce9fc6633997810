"""The cohort as one tensor program with a leading axis of clients.

The step of one client is written once, vectorised over clients with `torch.func.vmap`, and traced (`traced`) the first
time that its shapes are seen. For models whose time goes into starting operations rather than into arithmetic this is
several times faster than the loop.

Shape suffixes: K clients of the cohort, S local steps, B rows of a batch.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.func import grad, vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import EXECUTORS, Alignment, Cohort, Executor
from headstart.engine.executors.traced import traced
from headstart.engine.plan import PAD, RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("stacked", source="arXiv 2108.02117 (FedJAX) vectorises clients the same way")
def stacked(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    compiled: Annotated[bool, Field(description="compile the step with torch.compile: minutes, for long runs")] = False,
) -> Executor:
    """All clients at once: fastest where models are small."""

    def loss(
        y: Tree, inputs_B: Tensor, targets_B: Tensor, real_B: Tensor, key: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        scores = task.objective(network(y, inputs_B, key), targets_B)
        real_B = real_B.to(scores.loss_B.dtype)
        total, count = (scores.loss_B * real_B).sum(), (scores.count_B * real_B).sum()
        return total / count.clamp(min=1), (total, count)

    gradient: Callable[..., tuple[Tree, tuple[Tensor, Tensor]]] = grad(loss, has_aux=True)

    def begin(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> tuple[Tree]:
        return (client.begin(x, shared, memory),)

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, inputs_B: Tensor, targets_B: Tensor, real_B: Tensor,
        key: Tensor, rate: Tensor,
    ) -> tuple[Tree, Tree, Tensor, Tensor]:  # fmt: skip
        g, (total, count) = gradient(y, inputs_B, targets_B, real_B, key)
        d, local = client.direction(g, y, x, local, shared, memory)
        return trees.map_tree(lambda y, d: y - rate * d, y, d), local, total, count

    def gradient_at_x(x: Tree, inputs_B: Tensor, targets_B: Tensor, real_B: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs_B, targets_B, real_B, key)[0],)

    def finish(
        y: Tree, steps: Tensor, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor
    ) -> tuple[Upload, Tree]:
        return client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory), trees.subtract(x, y)

    def end(
        y: Tree, steps_K: Tensor, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, weights_K: Tensor
    ) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tensor]:
        upload_K, delta_K = vmap(finish, in_dims=(0, 0, 0, 0, None, None, None))(
            y, steps_K, at_x, memory, x, shared, rate
        )
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

    begin_K = traced(vmap(begin, in_dims=(None, None, 0, 0)))
    step_K = traced(vmap(step, in_dims=(0, 0, None, None, 0, 0, 0, 0, 0, 0)), compiled)
    gradient_at_x_K = traced(vmap(gradient_at_x, in_dims=(None, 0, 0, 0, 0)))
    end_K = traced(end, compiled)

    def batch(rows_KB: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        real_KB = rows_KB != PAD
        rows_KB = rows_KB.clamp(min=0)
        return task.train.inputs[rows_KB], task.train.targets[rows_KB], real_KB

    def execute(x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan) -> Cohort:
        S, K = int(plan.steps_K.max()), len(plan.clients_K)
        rows_SKB = torch.as_tensor(plan.rows_KSB).transpose(0, 1).contiguous()
        steps_K, key_K = torch.as_tensor(plan.steps_K), torch.as_tensor(plan.keys_K, dtype=torch.int32)
        step_S1 = torch.arange(S, dtype=torch.int32)[:, None]
        key_SK = step_key(key_K, step_S1) if network.draws else key_K.expand(S, K)
        rate_SK = rate * (step_S1 < steps_K).to(network.dtype)  # a client that is done stays where it is
        memory = {name: torch.stack([kept[name] for kept in memories]) for name in memories[0]}
        y = trees.map_tree(lambda leaf: leaf.expand(K, *leaf.shape).contiguous(), x)
        (local,) = begin_K(x, shared, memory, key_K)
        local = trees.contiguous(local)  # as it is after a step, so that one record serves all
        losses, counts = torch.zeros(2, K, dtype=network.dtype)
        for s in range(S):
            y, local, loss_K, count_K = step_K(y, local, x, shared, memory, *batch(rows_SKB[s]), key_SK[s], rate_SK[s])
            losses, counts = losses + loss_K, counts + count_K
        at_x: Tree = {}
        if client.wants_grad_at_x:
            (at_x,) = gradient_at_x_K(x, *batch(torch.as_tensor(plan.all_rows_KM)), step_key(key_K, -1))
        weights_K = torch.as_tensor(plan.weights_K, dtype=network.dtype)
        update, message, memory_K, squared_norms, total, unit_total = end_K(
            y, steps_K, at_x, memory, x, shared, torch.tensor(rate, dtype=network.dtype), weights_K
        )
        kept = [
            {name: leaf[k] for name, leaf in memory_K.items()} if plan.steps_K[k] else old
            for k, old in enumerate(memories)
        ]
        local_loss = losses.sum() / counts.sum().clamp(min=1)
        return Cohort(update, message, kept, local_loss, Alignment(squared_norms, total, unit_total, plan.reporting))

    return execute


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)
