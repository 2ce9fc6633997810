"""Clients over workers, each with one torch thread: threads of this process, or processes that are
forked from it.

For models whose time goes into large kernels, of which one a core wastes less than one on all
cores. Torch releases Python's lock inside of them, so threads do; processes have a lock and an
allocator each, so where they can be had they are faster. Both do the same work (`portions`), and
how many workers there are changes no bit.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Annotated, Literal, Protocol

import torch
from pydantic import Field

from headstart import trees
from headstart.child_processes import cannot_fork
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import (
    EXECUTORS,
    Assignment,
    Cohort,
    Compute,
    Executor,
)
from headstart.engine.executors.crew import Crew
from headstart.engine.executors.portions import PORTIONS, PortionWork, portions
from headstart.engine.executors.sums import Sums, empty
from headstart.errors import HeadstartError
from headstart.kernels.recorded import RecordingError
from headstart.kernels.threads import torch_threads
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree

ChannelsLast = Annotated[bool, Field(description="lay images out with channels last")]
Compiled = Annotated[
    bool,
    AddedLater(),
    Field(description="compile the step with Inductor: seconds to a minute, for long runs"),
]


@EXECUTORS.register("threads", source="ours; measured in docs/performance.md")
def threads(
    *,
    workers: Annotated[int, Field(ge=0, description="threads; 0 for one a core")] = 0,
    channels_last: ChannelsLast = True,
    compiled: Compiled = False,
) -> Executor:
    """Clients over threads: for large models on a CPU, in processes that are several already."""
    return _workers("threads", workers, channels_last, compiled)


@EXECUTORS.register("processes", source="ours; measured in docs/performance.md")
def processes(
    *,
    workers: Annotated[int, Field(ge=0, description="processes; 0 for one a core")] = 0,
    channels_last: ChannelsLast = True,
    compiled: Compiled = False,
) -> Executor:
    """Clients over processes: fastest on a CPU where models are large. For Linux."""
    return _workers("processes", workers, channels_last, compiled)


class Hands(Protocol):
    """Who does the work on portions."""

    def compute(
        self, dealt: list[list[int]], asked: Assignment, blank: Sums
    ) -> Iterator[tuple[Sums, dict[int, Tree]]]:
        """Yield the sums of each portion in their order, and what its clients keep by their places.

        Args:
            dealt: the places of the clients of each portion.
            asked: what is asked of the cohort.
            blank: sums over no clients, with what is wanted of this round.
        """


def _workers(
    kind: Literal["threads", "processes"], count: int, channels_last: bool, compiled: bool
) -> Executor:
    forks, count = kind == "processes", count or os.cpu_count() or 1

    def compute_for(network: Network, task: Task, client: ClientOptimizer) -> Compute:
        if forks and (reason := cannot_fork(str(network.device))):
            raise HeadstartError(f"the executor 'processes' {reason}; use 'stacked' or 'threads'")

        def laid_out(channels_last: bool) -> Compute:
            work = PortionWork(network, task, client, channels_last, compiled)
            hands = Crew(work, min(count, PORTIONS)) if forks else Threads(work, count)

            def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
                cohorts = {}
                for place, asked in assignments.items():
                    cohorts[place] = _cohort(asked, work, hands, client)
                return cohorts

            return compute

        as_written = laid_out(False)
        return _first_to_record(laid_out(True), as_written) if channels_last else as_written

    return Executor(compute_for, workers=count, uses_recordings=True, compiled=compiled)


def _first_to_record(first: Compute, other: Compute) -> Compute:
    """Compute with the first, and with the other what the first cannot record."""

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        try:
            return first(assignments, places)
        except RecordingError:
            return other(assignments, places)

    return compute


def _cohort(asked: Assignment, work: PortionWork, hands: Hands, client: ClientOptimizer) -> Cohort:
    asked = asked._replace(x=trees.map_tree(work.layout, asked.x))
    total = empty(client, asked).with_alignment_if(asked.watched)
    memories = list(asked.memories)
    for sums, kept in hands.compute(portions(asked.plan), asked, total):
        total.add(sums)
        for k, memory in kept.items():
            memories[k] = memory
    return total.cohort(memories, asked)


class Threads:
    """Threads of this process."""

    def __init__(self, work: PortionWork, count: int) -> None:
        self._work, self._count = work, count
        self._pools: dict[int, ThreadPoolExecutor] = {}

    def compute(
        self, dealt: list[list[int]], asked: Assignment, blank: Sums
    ) -> Iterator[tuple[Sums, dict[int, Tree]]]:
        """Yield the sums of each portion in their order, and what its clients keep."""

        def computed(portion: list[int]) -> tuple[Sums, dict[int, Tree]]:
            sums = blank.zeros()
            return sums, self._work.compute(asked, {k: asked.memories[k] for k in portion}, sums)

        futures = [self._pool().submit(computed, portion) for portion in dealt]
        # One thread here, too: more would wait for work on the cores that the others compute on.
        with torch_threads(1):
            try:
                for future in futures:
                    yield future.result()
            finally:
                # After one that failed others may be recording, which patches torch for all.
                wait(futures)

    def _pool(self) -> ThreadPoolExecutor:
        """The threads of this process: one that was forked has none."""
        if (process := os.getpid()) not in self._pools:
            self._pools.clear()
            self._pools[process] = ThreadPoolExecutor(
                self._count, "headstart", initializer=lambda: torch.set_num_threads(1)
            )
        return self._pools[process]
