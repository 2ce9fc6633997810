"""The reference: one client after another, one step after another, as the papers write it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import EXECUTORS, Alignment, Cohort, Executor
from headstart.engine.plan import PAD, RoundPlan
from headstart.models.conversion.dropout import step_key
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


class Local(NamedTuple):
    """What one client made of x: its upload, x - y, and the sum of the losses over what it has `seen`."""

    upload: Upload
    delta: Tree
    loss: Tensor
    seen: Tensor


@EXECUTORS.register("loop", source="arXiv 2003.00295, Algorithm 1")
def loop(network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """One client after another: the reference that every other executor equals."""

    def local(x: Tree, shared: Tree, memory: Tree, rate: float, plan: RoundPlan, k: int) -> Local:
        key = torch.tensor(plan.keys_K[k], dtype=torch.int32, device=network.device)
        y, state = x, client.begin(x, shared, memory)
        losses, counts = torch.zeros(2, dtype=network.dtype, device=network.device)
        for step in range(plan.steps_K[k]):
            g, loss, count = gradient(
                network, task, y, _real_rows(plan.rows_KSB[k, step], network), step_key(key, step)
            )
            d, state = client.direction(g, y, x, state, shared, memory)
            y = trees.add(y, d, -rate)
            losses, counts = losses + loss, counts + count
        at_x: Tree = {}
        if client.wants_grad_at_x:
            at_x, _, _ = gradient(network, task, x, _real_rows(plan.all_rows_KM[k], network), step_key(key, -1))
        upload = client.finish(x, y, int(plan.steps_K[k]), rate, at_x, shared, memory)
        return Local(upload, trees.subtract(x, y), losses, counts)

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        results = (local(x, shared, memories[k], rate, plan, k) for k in plan.reporting_clients)
        return _gather(x, memories, plan, results, watched)

    return execute


def gradient(network: Network, task: Task, y: Tree, rows: Tensor, key: Tensor) -> tuple[Tree, Tensor, Tensor]:
    """The gradient at y of the mean loss over rows, the sum of their losses, and the count of what they predict."""
    y = {name: leaf.detach().requires_grad_() for name, leaf in y.items()}
    scores = task.objective(network(y, task.train.inputs[rows], key), task.train.targets[rows])
    loss, count = scores.loss_B.sum(), scores.count_B.sum()
    leaves = torch.autograd.grad(loss / count.clamp(min=1), list(y.values()), materialize_grads=True)
    return dict(zip(y, leaves, strict=True)), loss.detach(), count


def _gather(x: Tree, memories: Sequence[Tree], plan: RoundPlan, results: Iterable[Local], watched: bool) -> Cohort:
    """Means and sums over the reporting clients, taken up one by one in the order of the plan."""
    mean_update: Tree = {}
    mean_message: Tree = {}
    total, unit_total = trees.zeros_like(x), trees.zeros_like(x)
    squared_norms, losses, counts = next(iter(x.values())).new_zeros(3)
    kept = list(memories)
    for k, one in zip(plan.reporting_clients, results, strict=True):
        kept[k] = one.upload.memory
        mean_update = _accumulate(mean_update, one.upload.update, float(plan.weights_K[k]))
        mean_message = _accumulate(mean_message, one.upload.message, float(plan.weights_K[k]))
        if watched:
            length = trees.norm(one.delta)
            squared_norms = squared_norms + length**2
            total = trees.add(total, one.delta)
            unit_total = trees.add(unit_total, one.delta, 1 / length.clamp(min=torch.finfo(length.dtype).tiny))
        losses, counts = losses + one.loss, counts + one.seen
    sums = Alignment(squared_norms, trees.dot(total, total), trees.dot(unit_total, unit_total), plan.reporting)
    return Cohort(mean_update, mean_message, kept, losses / counts.clamp(min=1), sums if watched else None)


def _real_rows(padded: object, network: Network) -> Tensor:
    """The rows of a padded batch."""
    rows = torch.as_tensor(padded, device=network.device)
    return rows[rows != PAD]


def _accumulate(mean: Tree, tree: Tree, weight: float) -> Tree:
    return trees.add(mean, tree, weight) if mean else trees.scale(tree, weight)
