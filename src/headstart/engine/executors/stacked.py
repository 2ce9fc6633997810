"""The cohort as one tensor program with a leading axis of clients.

The step of one client is written once, vectorised over clients with `torch.func.vmap`, and recorded (`traced`) the
first time that its shapes are seen. For models whose time goes into starting operations rather than into arithmetic
this is several times faster than the loop.

Where a step of the whole cohort would not fit the memory allowed, the cohort is cut into chunks of one size, clients
with most steps first, so that clients of a chunk do about as many; what a chunk lacks is filled with clients that do
nothing.

Shape suffixes: K clients of the cohort or chunk, S local steps, B rows of a batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.func import vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload, begin_with_nothing
from headstart.engine.devices import Ints
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.executors.masked import masked_gradient
from headstart.engine.executors.sums import Sums, add, cohort
from headstart.engine.executors.traced import Traced
from headstart.engine.plan import RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.registry import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("stacked", source="arXiv 2108.02117 (FedJAX) vectorises clients the same way")
def stacked(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    compiled: Annotated[bool, Field(description="compile the step with torch.compile: minutes, for long runs")] = False,
    memory_mib: Annotated[
        int, AddedLater(), Field(ge=1, description="what a step of the clients that are computed at once may take")
    ] = 4096,
) -> Executor:
    """All clients at once: fastest where models are small."""
    gradient = masked_gradient(network, task)

    def begin(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> tuple[Tree]:
        return (client.begin(x, shared, memory),)

    def direction(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor,
        key: Tensor,
    ) -> tuple[Tree, Tree, Tensor]:  # fmt: skip
        g, of_batch = gradient(y, inputs, targets, rows_B, key)
        return *client.direction(g, y, x, local, shared, memory), torch.stack(of_batch)

    direction_K = vmap(direction, in_dims=(0, 0, None, None, 0, None, None, 0, 0))

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen_K: Tensor, inputs: Tensor, targets: Tensor,
        rows_KB: Tensor, key_K: Tensor, rate_K: Tensor,
    ) -> tuple[()]:  # fmt: skip
        d_K, after_K, of_batch_K = direction_K(y, local, x, shared, memory, inputs, targets, rows_KB, key_K)
        for name, leaf_K in y.items():
            leaf_K.sub_(rate_K.reshape(-1, *[1] * (leaf_K.ndim - 1)) * d_K[name])
        for name, leaf_K in local.items():
            leaf_K.copy_(after_K[name])
        seen_K.add_(of_batch_K)
        return ()

    def gradient_at_x(x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def finish(
        y: Tree, steps: Tensor, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor
    ) -> tuple[Upload, Tree]:
        return client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory), trees.subtract(x, y)

    def end(
        y: Tree, steps_K: Tensor, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, weights_K: Tensor,
        seen_K: Tensor, *, watched: bool,
    ) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:  # fmt: skip
        upload_K, delta_K = vmap(finish, in_dims=(0, 0, 0, 0, None, None, None))(
            y, steps_K, at_x, memory, x, shared, rate
        )
        update, message = _weighted(weights_K, upload_K.update), _weighted(weights_K, upload_K.message)
        if not watched:
            return upload_K.memory, update, message, seen_K.sum(0), weights_K.new_zeros(()), {}, {}
        reports_K = (weights_K > 0).to(weights_K.dtype)
        length_K = torch.stack([(leaf_K.flatten(1) ** 2).sum(1) for leaf_K in delta_K.values()]).sum(0).sqrt()
        unit_K = reports_K / length_K.clamp(min=torch.finfo(length_K.dtype).tiny)
        squared_norms = (reports_K * length_K**2).sum()
        total, unit_total = _weighted(reports_K, delta_K), _weighted(unit_K, delta_K)
        return upload_K.memory, update, message, seen_K.sum(0), squared_norms, total, unit_total

    begin_K = Traced(vmap(begin, in_dims=(None, None, 0, 0)))
    step_K = Traced(step, compiled)
    gradient_at_x_K = Traced(vmap(gradient_at_x, in_dims=(None, None, None, 0, 0)), compiled)
    end_K = {watched: Traced(partial(end, watched=watched), compiled) for watched in (False, True)}
    inputs, targets = task.train.inputs, task.train.targets
    fitting: dict[tuple[int, ...], int] = {}

    def fits(x: Tree, shared: Tree, memory: Tree, plan: RoundPlan) -> int:
        """How many clients one step may compute at once, by what it was recorded to take."""
        K, _, B = plan.rows_KSB.shape
        if (K, B) not in fitting:
            budget = memory_mib * 2**20
            size = max(1, min(K, budget // (3 * trees.size_in_bytes(x))))  # weights, gradients and steps, to begin with
            while size > 1:
                first = {name: leaf[:size] for name, leaf in memory.items()}
                y, local, kept, seen_K = beginning(x, shared, first, size)
                empty = partial(torch.empty, device=network.device)
                rows_KB, key_K = empty(size, B, dtype=torch.int64), empty(size, dtype=torch.int32)
                rate_K = empty(size, dtype=network.dtype)
                peak = step_K.peak_bytes(y, local, x, shared, kept, seen_K, inputs, targets, rows_KB, key_K, rate_K)
                if peak <= budget:
                    break
                size = max(1, min(size - 1, size * budget // peak))
            fitting[K, B] = size
        return fitting[K, B]

    def beginning(x: Tree, shared: Tree, memory: Tree, size: int) -> tuple[Tree, Tree, Tree, Tensor]:
        """y_K, local_K, memory_K, and nothing seen yet; in memory of their own, since steps change them in place."""
        y = trees.map_tree(lambda leaf: leaf.expand(size, *leaf.shape).contiguous(), x)
        local: Tree = {}
        if client.begin is not begin_with_nothing:
            (local,) = begin_K(x, shared, memory, torch.zeros(size, device=network.device))
            local = trees.map_tree(lambda leaf: leaf.clone(memory_format=torch.contiguous_format), local)
        return y, local, memory, torch.zeros(size, 2, dtype=network.dtype, device=network.device)

    def compute(x: Tree, shared: Tree, memory: Tree, rate: float, plan: RoundPlan, watched: bool) -> tuple[Tree, Sums]:
        """What each client keeps, and what they add up to."""
        S, K = int(plan.steps_K.max()), len(plan.clients_K)
        on = partial(torch.as_tensor, device=network.device)
        step_S1 = np.arange(S, dtype=np.int32)[:, None]
        rows_SKB, key_K = (
            on(np.ascontiguousarray(plan.rows_KSB[:, :S].swapaxes(0, 1))),
            on(plan.keys_K, dtype=torch.int32),
        )
        key_SK = step_key(key_K, on(step_S1)) if network.draws else key_K.expand(S, K)
        rate_SK = on(rate * (step_S1 < plan.steps_K), dtype=network.dtype)  # a client that is done stays where it is
        y, local, memory, seen_K = beginning(x, shared, memory, K)
        advance = step_K.bound(y, local, x, shared, memory, seen_K, inputs, targets)
        for rows_KB, step_key_K, rate_K in zip(rows_SKB.unbind(), key_SK.unbind(), rate_SK.unbind(), strict=True):
            advance(rows_KB, step_key_K, rate_K)
        at_x: Tree = {}
        if client.wants_grad_at_x:
            (at_x,) = gradient_at_x_K(x, inputs, targets, on(plan.all_rows_KM), step_key(key_K, -1))
        rate_, weights_K = on(rate, dtype=network.dtype), on(plan.weights_K, dtype=network.dtype)
        memory, *sums = end_K[watched](y, on(plan.steps_K), at_x, memory, x, shared, rate_, weights_K, seen_K)
        return memory, Sums(*sums)

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        memory = {name: torch.stack([kept[name] for kept in memories]) for name in memories[0]}
        after, sums = list(memories), None
        for chosen, part in _chunks(plan, fits(x, shared, memory, plan)):
            places = torch.as_tensor(chosen, device=network.device)
            kept, more = compute(x, shared, {n: leaf[places] for n, leaf in memory.items()}, rate, part, watched)
            if sums is None:
                sums = more
            else:
                add(sums, more)
            for place in np.flatnonzero(part.steps_K):
                after[chosen[place]] = {name: leaf[place] for name, leaf in kept.items()}
        assert sums is not None, "an executor is asked for cohorts of which somebody reports"
        return cohort(sums, after, plan, watched)

    return execute


def _chunks(plan: RoundPlan, size: int) -> Iterator[tuple[Ints, RoundPlan]]:
    """Places in the cohort, and the plan of only these; the last is filled with clients of no steps and no weight."""
    K = len(plan.clients_K)
    if size >= K:
        yield np.arange(K), plan
        return
    order = np.argsort(-plan.steps_K, kind="stable")
    count = -(-K // size)
    size = -(-K // count)
    for first in range(0, K, size):
        chosen = order[first : first + size]
        filled = np.concatenate([chosen, np.repeat(chosen[-1:], size - len(chosen))])
        real = np.arange(size) < len(chosen)
        steps_K = np.where(real, plan.steps_K[filled], 0)
        if steps_K.any():
            yield (
                filled,
                replace(
                    plan,
                    clients_K=plan.clients_K[filled],
                    rows_KSB=plan.rows_KSB[filled],
                    steps_K=steps_K,
                    weights_K=np.where(real, plan.weights_K[filled], 0.0),
                    keys_K=plan.keys_K[filled],
                    all_rows_KM=plan.all_rows_KM[filled],
                ),
            )


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)
