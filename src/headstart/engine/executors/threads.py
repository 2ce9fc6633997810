"""Clients over threads, each with one torch thread; weights are updated in place.

For models whose time goes into large kernels: torch releases Python's lock inside of them, and one kernel a core wastes
less than one kernel on all cores. Where processes can be had, `processes` does the same without that lock.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Annotated

import torch
from pydantic import Field

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.executors.fallback import first_to_record
from headstart.engine.executors.sums import Sums, add, cohort
from headstart.engine.executors.workers import ChannelsLast, Compiled, empty, grouped, groups, layout, upload_of
from headstart.engine.plan import RoundPlan
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.threads import torch_threads
from headstart.trees import Tree


@EXECUTORS.register("threads", source="ours; measured in docs/performance.md")
def threads(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    workers: Annotated[int, Field(ge=0, description="threads; 0 for one a core")] = 0,
    channels_last: ChannelsLast = True,
    compiled: Compiled = False,
) -> Executor:
    """Clients over threads: for large models on a CPU, in processes that are several already."""
    as_written = _threads(network, task, client, workers, False, compiled)
    if not channels_last:
        return as_written
    return first_to_record(_threads(network, task, client, workers, True, compiled), as_written)


def _threads(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    workers: int,
    channels_last: bool,
    compiled: bool,
) -> Executor:
    work = grouped(network, task, client, channels_last, compiled)
    uploads: list[Upload] = []
    pools: dict[int, ThreadPoolExecutor] = {}

    def pool() -> ThreadPoolExecutor:
        """That of this process: one that was forked has no threads."""
        if (process := os.getpid()) not in pools:
            pools.clear()
            pools[process] = ThreadPoolExecutor(
                workers or os.cpu_count() or 1, "headstart", initializer=lambda: torch.set_num_threads(1)
            )
        return pools[process]

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        x = trees.map_tree(layout(channels_last), x)
        if not uploads:
            uploads.append(upload_of(client, x, shared, memories[0]))

        def computed(group: list[int]) -> tuple[Sums, dict[int, Tree]]:
            sums = empty(uploads[0], x, watched)
            return sums, work.compute(x, shared, memories, rate, plan, group, sums)

        futures = [pool().submit(computed, group) for group in groups(plan)]
        with torch_threads(1):  # in this thread: more would wait for work on the cores that the others compute on
            try:
                sums, kept = futures[0].result()
                for future in futures[1:]:
                    more, kept_too = future.result()
                    kept |= kept_too
                    add(sums, more)
                return cohort(sums, [kept.get(k, memory) for k, memory in enumerate(memories)], plan, watched)
            finally:
                wait(futures)  # after one that failed others may be recording, which patches torch for all threads

    return execute
