"""Clients over threads, each with one torch thread and a network of its own; weights are updated in place.

For models whose time goes into large kernels: torch releases Python's lock inside of them, and one kernel a core wastes
less than one kernel on all cores. Convolutions run in channels-last layout where the weights allow it.
"""

import copy
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.executors.loop import Local, gather, real_rows
from headstart.engine.plan import RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("threads", source="ours; measured in docs/performance.md")
def threads(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    workers: Annotated[int, Field(ge=0, description="threads; 0 for one a core")] = 0,
    channels_last: Annotated[bool, Field(description="lay images out with channels last")] = True,
) -> Executor:
    """Clients over threads: fastest on a CPU where models are large."""
    own = threading.local()

    def begin_thread() -> None:
        torch.set_num_threads(1)
        own.network = copy.deepcopy(network)

    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, "headstart", initializer=begin_thread)
    layout = _channels_last if channels_last else _as_it_is

    def gradient(y: Tree, leaves: list[Tensor], rows: Tensor, key: Tensor) -> tuple[Tree, Tensor, Tensor]:
        scores = task.objective(own.network(y, layout(task.train.inputs[rows]), key), task.train.targets[rows])
        loss, count = scores.loss_B.sum(), scores.count_B.sum()
        return dict(zip(y, torch.autograd.grad(loss / count.clamp(min=1), leaves), strict=True)), loss.detach(), count

    def local(x: Tree, shared: Tree, memory: Tree, rate: float, plan: RoundPlan, k: int) -> Local:
        key = torch.tensor(plan.keys_K[k], dtype=torch.int32)
        y = {name: leaf.clone().requires_grad_() for name, leaf in x.items()}
        leaves, state = list(y.values()), client.begin(x, shared, memory)
        losses, counts = torch.zeros(2, dtype=network.dtype)
        for step in range(plan.steps_K[k]):
            g, loss, count = gradient(y, leaves, real_rows(plan.rows_KSB[k, step]), step_key(key, step))
            with torch.no_grad():
                d, state = client.direction(g, y, x, state, shared, memory)
                torch._foreach_add_(leaves, list(d.values()), alpha=-rate)
            losses, counts = losses + loss, counts + count
        at_x: Tree = {}
        if client.wants_grad_at_x:
            start = {name: leaf.detach().requires_grad_() for name, leaf in x.items()}
            at_x, _, _ = gradient(start, list(start.values()), real_rows(plan.all_rows_KM[k]), step_key(key, -1))
        with torch.no_grad():
            y = {name: leaf.detach() for name, leaf in y.items()}
            upload = client.finish(x, y, int(plan.steps_K[k]), rate, at_x, shared, memory)
            return Local(upload, trees.subtract(x, y), losses, counts)

    def execute(x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan) -> Cohort:
        x = trees.map_tree(layout, x)

        def results() -> Iterator[Local]:
            futures = [pool.submit(local, x, shared, memories[k], rate, plan, k) for k in plan.reporting_clients]
            while futures:
                yield futures.pop(0).result()

        return gather(x, memories, plan, results())

    return execute


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
