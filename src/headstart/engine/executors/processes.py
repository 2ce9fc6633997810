"""Clients over processes, each with one torch thread: the work of `threads`, and its bits, without a lock to wait for.

Two threads share Python's lock, which every operation takes, and the allocator; two processes share neither. They are
forked at the first round, so they have the network, the loss and the rows as this process has them, whatever these are
made of, and no row is copied. The weights and the sums of the groups are in memory that all of them see; through pipes
go only plans and what clients keep.
"""

import multiprocessing
import os
import signal
import sys
import traceback
import weakref
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Annotated, Any, NamedTuple

import numpy.typing as npt
import torch
from pydantic import Field

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.executors.fallback import first_to_record
from headstart.engine.executors.sums import Sums, add, clear, cohort
from headstart.engine.executors.workers import (
    GROUPS,
    ChannelsLast,
    Compiled,
    Work,
    empty,
    grouped,
    groups,
    layout,
    unwatched,
    upload_of,
)
from headstart.engine.plan import RoundPlan
from headstart.errors import HeadstartError
from headstart.kernels.shared_memory import shared_zeros
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.threads import torch_threads
from headstart.trees import Tree

Arrays = dict[str, npt.NDArray[Any]]


class Board(NamedTuple):
    """What all processes see: the weights and what the server sends along, and the sums of each group."""

    x: Tree
    shared: Tree
    sums: list[Sums]


class Order(NamedTuple):
    """A group to compute, and what of the round is not on the board."""

    place: int
    group: list[int]
    memories: dict[int, Arrays]
    rate: float
    plan: RoundPlan
    watched: bool


Kept = dict[int, Arrays]
"""What the clients of a group keep, by their places; the answer to an order. Their sums are then on the board."""


@EXECUTORS.register("processes", source="ours; measured in docs/performance.md")
def processes(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    workers: Annotated[int, Field(ge=0, description="processes; 0 for one a core")] = 0,
    channels_last: ChannelsLast = True,
    compiled: Compiled = False,
) -> Executor:
    """Clients over processes: fastest on a CPU where models are large. For Linux."""
    if reason := cannot_fork(network.device):
        raise HeadstartError(f"the executor 'processes' {reason}; use 'stacked' or 'threads'")
    as_written = _processes(network, task, client, workers, False, compiled)
    if not channels_last:
        return as_written
    return first_to_record(_processes(network, task, client, workers, True, compiled), as_written)


def _processes(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    workers: int,
    channels_last: bool,
    compiled: bool,
) -> Executor:
    work = grouped(network, task, client, channels_last, compiled)
    crews: list[Crew] = []
    uploads: list[Upload] = []

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        x = trees.map_tree(layout(channels_last), x)
        if not uploads:
            uploads.append(upload_of(client, x, shared, memories[0]))
        if crews and not crews[0].is_ours():  # of the process that this one was forked from
            crews.clear()
        if not crews:
            sums = empty(uploads[0], x, watched=True)
            with torch_threads(1):  # as the members have
                work.prepare(x, shared, memories[0], plan, sums)  # once, and not in every process
            board = Board(shared_zeros(x), shared_zeros(shared), [_shared_sums(sums) for _ in range(GROUPS)])
            crews.append(Crew(work, board, min(workers or os.cpu_count() or 1, GROUPS)))
        dealt = groups(plan)
        try:
            kept = crews[0].compute(dealt, x, shared, memories, rate, plan, watched)
        except BaseException:
            crews.pop().dismiss()  # some of its processes may still be computing this round
            raise
        total = empty(uploads[0], x, watched)
        for sums in crews[0].board.sums[: len(dealt)]:
            add(total, _seen(sums, watched))
        return cohort(total, [kept.get(k, memory) for k, memory in enumerate(memories)], plan, watched)

    return execute


def cannot_fork(device: torch.device) -> str:
    """Why clients cannot be computed in processes here; empty where they can."""
    if device.type != "cpu":
        return f"computes on the CPU, and the device is {device}"
    if sys.platform != "linux":
        return f"forks this process, which is safe on Linux only, and this is {sys.platform}"
    if multiprocessing.current_process().daemon:
        return "starts processes, which a daemon process may not"
    return ""


class Crew:
    """Processes that are forked from this one, and end with it or when they are dismissed."""

    def __init__(self, work: Work, board: Board, count: int) -> None:
        self.board = board
        fork = multiprocessing.get_context("fork")
        self._members: dict[Connection, BaseProcess] = {}
        for _ in range(count):
            ours, theirs = fork.Pipe()
            # A copy of our end that a member keeps open would hide from the others that this process has ended.
            member = fork.Process(target=_serve, args=(work, board, theirs, [*self._members, ours]), daemon=True)
            member.start()
            theirs.close()
            self._members[ours] = member
        self._owner = os.getpid()
        self.dismiss = weakref.finalize(self, _dismiss, self._members, self._owner)

    def is_ours(self) -> bool:
        """Whether this process forked the members; who was forked later has a copy of the crew that it must not use."""
        return os.getpid() == self._owner

    def compute(
        self,
        dealt: list[list[int]],
        x: Tree,
        shared: Tree,
        memories: Sequence[Tree],
        rate: float,
        plan: RoundPlan,
        watched: bool,
    ) -> dict[int, Tree]:
        """Put the sums of the groups on the board, and return what their clients keep.

        Raises:
            HeadstartError: a process was ended from outside, or refused the network.
        """
        for tree, seen in ((x, self.board.x), (shared, self.board.shared)):
            for name, leaf in tree.items():
                seen[name].copy_(leaf)
        orders = [
            Order(place, group, {k: _sent(memories[k]) for k in group}, rate, plan, watched)
            for place, group in enumerate(dealt)
        ]
        orders.reverse()
        kept: dict[int, Tree] = {}
        busy: set[Connection] = set()
        free = list(self._members)
        while orders or busy:
            while orders and free:
                busy.add(free[-1])
                self._send(free.pop(), orders.pop())
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                kept |= {k: _received(arrays) for k, arrays in self._answer(connection).items()}
                busy.remove(connection)
                free.append(connection)
        return kept

    def _send(self, connection: Connection, order: Order) -> None:
        try:
            connection.send(order)
        except OSError:
            raise self._lost(connection) from None

    def _answer(self, connection: Connection) -> Kept:
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            raise self._lost(connection) from None
        if isinstance(answer, Exception):
            raise answer
        kept: Kept = answer
        return kept

    def _lost(self, connection: Connection) -> HeadstartError:
        member = self._members[connection]
        member.join()
        return HeadstartError(
            f"a process of the executor 'processes' ended with exit code {member.exitcode} (-9: killed, often for want "
            "of memory); ask for fewer with processes(workers=N), or use threads"
        )


def _serve(work: Work, board: Board, connection: Connection, others: Sequence[Connection]) -> None:
    """What a forked process does, until nobody is left to give it orders."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that gives the orders decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            order: Order = connection.recv()
            try:
                answer: Kept | Exception = _computed(work, board, order)
            except HeadstartError as error:
                answer = error
            except Exception:  # whatever computing somebody's network may raise
                answer = RuntimeError(f"in a process of the executor 'processes':\n{traceback.format_exc()}")
            connection.send(answer)


def _computed(work: Work, board: Board, order: Order) -> Kept:
    sums = _seen(board.sums[order.place], order.watched)
    clear(sums)
    memories = {k: _received(arrays) for k, arrays in order.memories.items()}
    kept = work.compute(board.x, board.shared, memories, order.rate, order.plan, order.group, sums)
    return {k: _sent(tree) for k, tree in kept.items()}


def _dismiss(members: dict[Connection, BaseProcess], owner: int) -> None:
    if os.getpid() != owner:
        return
    for connection, member in members.items():
        connection.close()
        member.terminate()
    for member in members.values():
        member.join()


def _shared_sums(like: Sums) -> Sums:
    return Sums(
        update=shared_zeros(like.update),
        message=shared_zeros(like.message),
        **shared_zeros({"seen": like.seen, "squared_norms": like.squared_norms}),
        total=shared_zeros(like.total),
        unit_total=shared_zeros(like.unit_total),
    )


def _seen(sums: Sums, watched: bool) -> Sums:
    return sums if watched else unwatched(sums)


def _sent(tree: Tree) -> Arrays:
    """Arrays go through a pipe as they are; tensors would be moved to files in shared memory."""
    return {name: leaf.numpy() for name, leaf in tree.items()}


def _received(arrays: Arrays) -> Tree:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
