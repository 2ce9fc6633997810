"""Clients over threads, each with one torch thread; weights are updated in place.

For models whose time goes into large kernels: torch releases Python's lock inside of them, and one kernel a core wastes
less than one kernel on all cores. Convolutions run in channels-last layout where the weights allow it. Compiled, the
step is one C++ function without Python's lock, in which activations, dropout, pooling and the update are fused around
the convolutions and matrix products.

The cohort is cut into groups of clients of about equal work. A thread adds up the clients of a group, and groups are
added up in their order, so that the result does not depend on which thread was faster, nor on how many there are.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.devices import Ints
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.executors.masked import masked_gradient
from headstart.engine.executors.sums import Sums, add, cohort
from headstart.engine.executors.traced import Traced
from headstart.engine.plan import PAD, RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.registry import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree

GROUPS = 8
"""Of a cohort: enough to keep the cores of a small machine busy to the end, few enough that adding up costs little."""


@EXECUTORS.register("threads", source="ours; measured in docs/performance.md")
def threads(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    workers: Annotated[int, Field(ge=0, description="threads; 0 for one a core")] = 0,
    channels_last: Annotated[bool, Field(description="lay images out with channels last")] = True,
    compiled: Annotated[
        bool, AddedLater(), Field(description="compile the step with torch.compile: seconds to a minute, for long runs")
    ] = False,
) -> Executor:
    """Clients over threads: fastest on a CPU where models are large."""
    layout = trees.channels_last if channels_last else _as_it_is
    gradient = masked_gradient(network, task, layout)
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, "headstart", initializer=lambda: torch.set_num_threads(1))

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen: Tensor, inputs: Tensor, targets: Tensor,
        rate: Tensor, rows_B: Tensor, key: Tensor,
    ) -> tuple[()]:  # fmt: skip
        g, of_batch = gradient(y, inputs, targets, rows_B, key)
        d, after = client.direction(g, y, x, local, shared, memory)
        for name, leaf in y.items():
            leaf.sub_(rate * d[name])
        for name, leaf in local.items():
            leaf.copy_(after[name])
        seen.add_(torch.stack(of_batch))
        return ()

    def gradient_at_x(x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def end(
        y: Tree, x: Tree, at_x: Tree, shared: Tree, memory: Tree, update: Tree, message: Tree, seen: Tensor,
        squared_norms: Tensor, total: Tree, unit_total: Tree, rate: Tensor, steps: Tensor, weight: Tensor,
    ) -> tuple[Tree]:  # fmt: skip
        upload = client.finish(x, y, steps, rate, at_x, shared, memory)
        _accumulate(update, upload.update, weight)
        _accumulate(message, upload.message, weight)
        if total:
            delta = trees.subtract(x, y)
            squared = trees.dot(delta, delta)
            squared_norms.add_(squared)
            _accumulate(total, delta)
            _accumulate(unit_total, delta, 1 / squared.sqrt().clamp(min=torch.finfo(squared.dtype).tiny))
        return (upload.memory,)

    # Compiled for whole batches; the short ones at the end of an epoch are as few as their rows, and only recorded.
    step_, gradient_at_x_, end_ = Traced(step, compiled), Traced(gradient_at_x, compiled), Traced(end, compiled)
    short_step, short_gradient_at_x = (Traced(step), Traced(gradient_at_x)) if compiled else (step_, gradient_at_x_)

    def work(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: Tensor, plan: RoundPlan, group: list[int], watched: bool
    ) -> tuple[Sums, dict[int, Tree]]:
        """The sums over the clients of a group, and what each of them keeps."""
        inputs, targets = task.train.inputs, task.train.targets
        sums, kept, y = _zeros(client, x, shared, memories[group[0]], watched), {}, trees.map_tree(torch.empty_like, x)
        for k in group:
            for name, leaf in x.items():
                y[name].copy_(leaf)
            key = torch.tensor(plan.keys_K[k], dtype=torch.int32, device=network.device)
            # Memory of its own: what `begin` returns may be a part of x, and steps change it in place.
            local = trees.map_tree(torch.clone, client.begin(x, shared, memories[k]))
            fixed = (y, local, x, shared, memories[k], sums.seen, inputs, targets, rate)
            whole, short = step_.bound(*fixed), short_step.bound(*fixed)
            for s in range(plan.steps_K[k]):
                rows_B = _rows(plan.rows_KSB[k, s], network.device)
                advance = whole if len(rows_B) == plan.rows_KSB.shape[-1] else short
                advance(rows_B, step_key(key, s))
            at_x: Tree = {}
            if client.wants_grad_at_x:
                rows_M = _rows(plan.all_rows_KM[k], network.device)
                at = gradient_at_x_ if len(rows_M) == plan.all_rows_KM.shape[-1] else short_gradient_at_x
                (at_x,) = at(x, inputs, targets, rows_M, step_key(key, -1))
            numbers = torch.tensor([plan.steps_K[k], plan.weights_K[k]], dtype=network.dtype, device=network.device)
            (kept[k],) = end_(y, x, at_x, shared, memories[k], *sums, rate, *numbers)
        return sums, kept

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        x = trees.map_tree(layout, x)
        rate_ = torch.tensor(rate, dtype=network.dtype, device=network.device)
        futures = [pool.submit(work, x, shared, memories, rate_, plan, group, watched) for group in _groups(plan)]
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # of this thread: more would wait for work on the cores that the others compute on
        try:
            sums, kept = futures[0].result()
            for future in futures[1:]:
                more, kept_too = future.result()
                kept |= kept_too
                add(sums, more)
            return cohort(sums, [kept.get(k, memory) for k, memory in enumerate(memories)], plan, watched)
        finally:
            torch.set_num_threads(before)

    return execute


def _groups(plan: RoundPlan) -> list[list[int]]:
    """The reporting clients, those with most steps first, dealt out like cards."""
    heaviest_first = sorted(plan.reporting_clients, key=lambda k: -int(plan.steps_K[k]))
    return [heaviest_first[first::GROUPS] for first in range(min(GROUPS, len(heaviest_first)))]


def _zeros(client: ClientOptimizer, x: Tree, shared: Tree, memory: Tree, watched: bool) -> Sums:
    meta = [trees.map_tree(lambda leaf: leaf.to("meta"), tree) for tree in (x, shared, memory)]
    upload = client.finish(meta[0], meta[0], 1, 1.0, meta[0] if client.wants_grad_at_x else {}, *meta[1:])
    some = next(iter(x.values()))
    return Sums(
        update=trees.map_tree(lambda leaf: torch.zeros_like(leaf, device=some.device), upload.update),
        message=trees.map_tree(lambda leaf: torch.zeros_like(leaf, device=some.device), upload.message),
        seen=some.new_zeros(2),
        squared_norms=some.new_zeros(()),
        total=trees.zeros_like(x) if watched else {},
        unit_total=trees.zeros_like(x) if watched else {},
    )


def _accumulate(sums: Tree, tree: Tree, factor: Tensor | None = None) -> None:
    for name, leaf in tree.items():
        sums[name].add_(leaf if factor is None else factor * leaf)


def _rows(padded: Ints, device: torch.device) -> Tensor:
    """The rows of a batch, which stand before its padding, without most of that: few widths, so few recordings."""
    width = len(padded)
    real = int((padded != PAD).sum())
    while -(-width // 2) >= real and width > 1:
        width = -(-width // 2)
    return torch.as_tensor(padded[:width], device=device)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
