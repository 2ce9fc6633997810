"""The reference: one client after another, one step after another, as the papers write it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Alignment, Cohort, Executor
from headstart.engine.plan import PAD, RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("loop", source="arXiv 2003.00295, Algorithm 1")
def loop(network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """One client after another: the reference that every other executor equals."""

    def gradient(y: Tree, rows: Tensor, key: Tensor) -> tuple[Tree, Tensor, Tensor]:
        y = {name: leaf.detach().requires_grad_() for name, leaf in y.items()}
        scores = task.objective(network(y, task.train.inputs[rows], key), task.train.targets[rows])
        loss, count = scores.loss_B.sum(), scores.count_B.sum()
        leaves = torch.autograd.grad(loss / count.clamp(min=1), list(y.values()))
        return dict(zip(y, leaves, strict=True)), loss.detach(), count

    def execute(x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan) -> Cohort:
        mean_update: Tree = {}
        mean_message: Tree = {}
        total, unit_total = trees.zeros_like(x), trees.zeros_like(x)
        squared_norms, losses, counts = (torch.zeros((), dtype=network.dtype) for _ in range(3))
        kept = list(memories)
        for k in range(len(plan.clients_K)):
            if plan.steps_K[k] == 0:
                continue
            key = torch.tensor(plan.keys_K[k], dtype=torch.int32)
            y, local = x, client.begin(x, shared, memories[k])
            for step in range(plan.steps_K[k]):
                g, loss, count = gradient(y, _rows(plan.rows_KSB[k, step]), step_key(key, step))
                d, local = client.direction(g, y, x, local, shared, memories[k])
                y = trees.add(y, d, -rate)
                losses, counts = losses + loss, counts + count
            at_x = gradient(x, _rows(plan.all_rows_KM[k]), step_key(key, -1))[0] if client.wants_grad_at_x else {}
            upload = client.finish(x, y, int(plan.steps_K[k]), rate, at_x, shared, memories[k])
            kept[k] = upload.memory
            weight = float(plan.weights_K[k])
            mean_update = _accumulate(mean_update, upload.update, weight)
            mean_message = _accumulate(mean_message, upload.message, weight)

            delta = trees.subtract(x, y)
            length = trees.norm(delta)
            squared_norms = squared_norms + length**2
            total = trees.add(total, delta)
            unit_total = trees.add(unit_total, delta, 1 / length.clamp(min=torch.finfo(length.dtype).tiny))
        alignment = Alignment(
            squared_norms, trees.dot(total, total), trees.dot(unit_total, unit_total), count=plan.reporting
        )
        return Cohort(mean_update, mean_message, kept, losses / counts.clamp(min=1), alignment)

    return execute


def _rows(padded: object) -> Tensor:
    rows = torch.as_tensor(padded)
    return rows[rows != PAD]


def _accumulate(mean: Tree, tree: Tree, weight: float) -> Tree:
    return trees.add(mean, tree, weight) if mean else trees.scale(tree, weight)
