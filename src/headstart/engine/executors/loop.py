"""The reference: one client after another, one step after another, as the papers write it."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from headstart import rng, trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import (
    EXECUTORS,
    Alignment,
    Assignment,
    Cohort,
    Compute,
    Executor,
)
from headstart.engine.plan import PAD
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


class Local(NamedTuple):
    """What one client made of x: its upload, x - y, the sum of the losses of its steps, and the
    count of what they predict.
    """

    upload: Upload
    delta: Tree
    loss: Tensor
    predictions: Tensor


@EXECUTORS.register("loop", source="arXiv 2003.00295, Algorithm 1")
def loop() -> Executor:
    """One client after another: the reference that every other executor equals."""
    return Executor(by_loop)


def by_loop(network: Network, task: Task, client: ClientOptimizer) -> Compute:
    """Compute cohorts one client after another."""

    def cohort_of(asked: Assignment) -> Cohort:
        """Take up the reporting clients one by one in the order of the plan."""
        mean_update: Tree = {}
        mean_message: Tree = {}
        total, unit_total = trees.zeros_like(asked.x), trees.zeros_like(asked.x)
        squared_norms, losses, counts = next(iter(asked.x.values())).new_zeros(3)
        memories = list(asked.memories)
        for k in asked.plan.reporting_clients:
            one = local(network, task, client, asked, k)
            weight = float(asked.plan.weights_K[k])
            memories[k] = one.upload.memory
            mean_update = accumulate(mean_update, one.upload.update, weight)
            mean_message = accumulate(mean_message, one.upload.message, weight)
            if asked.watched:
                length = trees.norm(one.delta)
                squared_norms = squared_norms + length**2
                total = trees.add(total, one.delta)
                tiny = torch.finfo(length.dtype).tiny
                unit_total = trees.add(unit_total, one.delta, 1 / length.clamp(min=tiny))
            losses, counts = losses + one.loss, counts + one.predictions
        alignment = None
        if asked.watched:
            of_sums = trees.dot(total, total), trees.dot(unit_total, unit_total)
            alignment = Alignment(squared_norms, *of_sums, asked.plan.reporting)
        return Cohort(mean_update, mean_message, memories, losses / counts.clamp(min=1), alignment)

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        return {place: cohort_of(asked) for place, asked in assignments.items()}

    return compute


def local(
    network: Network, task: Task, client: ClientOptimizer, asked: Assignment, k: int
) -> Local:
    """Do the work of one client in a round.

    Args:
        network: the model as a function of its parameters.
        task: the task, whose training rows the plan names.
        client: the client optimizer.
        asked: what a run asks of the cohort.
        k: the client's place in it; it does at least one step.
    """
    x, shared, memory = asked.x, asked.shared, asked.memories[k]
    rate, plan = asked.rate, asked.plan
    key = torch.tensor(plan.keys_K[k], dtype=torch.int32, device=network.device)
    y, state = x, client.begin(x, shared, memory)
    losses, counts = torch.zeros(2, dtype=network.dtype, device=network.device)
    for step in range(plan.steps_K[k]):
        rows = _real_rows(plan.rows_KSB[k, step], network)
        g, loss, count = gradient(network, task, y, rows, rng.step_key(key, step))
        d, state = client.direction(g, x, y, state, shared, memory)
        y = trees.add(y, d, -rate)
        losses, counts = losses + loss, counts + count
    at_x: Tree = {}
    if client.wants_grad_at_x:
        rows = _real_rows(plan.all_rows_KM[k], network)
        at_x, _, _ = gradient(network, task, x, rows, rng.step_key(key, -1))
    upload = client.finish(x, y, int(plan.steps_K[k]), rate, at_x, shared, memory)
    return Local(upload, trees.subtract(x, y), losses, counts)


def gradient(
    network: Network, task: Task, y: Tree, rows: Tensor, key: Tensor
) -> tuple[Tree, Tensor, Tensor]:
    """Return the gradient at y of the mean loss over rows, the sum of their losses, and the count
    of predictions.

    Args:
        network: the model as a function of its parameters.
        task: the task, on the network's device.
        y: weights.
        rows: rows of the training split [B], without padding.
        key: the dropout key, an int32 scalar.
    """
    y = {name: leaf.detach().requires_grad_() for name, leaf in y.items()}
    scores = task.objective(network(y, task.train.inputs[rows], key), task.train.targets[rows])
    loss, count = scores.loss_B.sum(), scores.count_B.sum()
    leaves = torch.autograd.grad(
        loss / count.clamp(min=1), list(y.values()), materialize_grads=True
    )
    return dict(zip(y, leaves, strict=True)), loss.detach(), count


def _real_rows(padded: object, network: Network) -> Tensor:
    """Return the rows of a padded batch."""
    rows = torch.as_tensor(padded, device=network.device)
    return rows[rows != PAD]


def accumulate(mean: Tree, tree: Tree, weight: float) -> Tree:
    """Add a client's tree to a weighted mean, which is empty before the first."""
    return trees.add(mean, tree, weight) if mean else trees.scale(tree, weight)
