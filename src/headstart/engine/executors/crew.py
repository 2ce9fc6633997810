"""Forked processes that do the work on portions, each with one torch thread and without a lock to
wait for.

They are forked at the first round, so they have the network, the loss and the rows as this process
has them, whatever these are made of, and no row is copied. The weights and the sums of the portions
are in memory that all of them see; through pipes go only plans and what clients keep.
"""

import os
import traceback
import weakref
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import numpy.typing as npt
import torch

from headstart import trees
from headstart.child_processes import begun
from headstart.engine.executors.base import Assignment
from headstart.engine.executors.portions import PORTIONS, PortionWork
from headstart.engine.executors.sums import Sums
from headstart.errors import HeadstartError
from headstart.kernels.shared_memory import shared_zeros
from headstart.kernels.threads import torch_threads
from headstart.trees import Tree

Arrays = dict[str, npt.NDArray[Any]]

Kept = dict[int, Arrays]
"""What the clients of a portion keep, by their places; the answer to an order. Their sums are then
on the board.
"""


class Board(NamedTuple):
    """What all processes see: the weights and what the server sends along, and the sums of each
    portion.
    """

    x: Tree
    shared: Tree
    sums: list[Sums]


class Order(NamedTuple):
    """A portion to compute: its number, what its clients keep, and what of the round is not on the
    board.
    """

    portion: int
    memories: Kept
    rest: Assignment


class Crew:
    """Processes that do the work on portions: forked at the first round, and anew after one in
    which some were lost.
    """

    def __init__(self, work: PortionWork, count: int) -> None:
        self._work, self._count = work, count
        self._members: _Members | None = None

    def compute(
        self, dealt: list[list[int]], asked: Assignment, blank: Sums
    ) -> Iterator[tuple[Sums, dict[int, Tree]]]:
        """Yield the sums of each portion in their order, and what its clients keep.

        Raises:
            HeadstartError: a process was ended from outside, or refused the network.
        """
        members = self._members
        if members is None or not members.are_ours():
            members = self._members = self._forked(asked, blank)
        try:
            kept = members.compute(dealt, asked)
        except BaseException:
            self._members = None
            members.dismiss()  # some of its processes may still be computing this round
            raise
        for sums, memories in zip(members.board.sums, kept, strict=False):
            yield sums.with_alignment_if(asked.watched), memories

    def _forked(self, asked: Assignment, blank: Sums) -> "_Members":
        sums = blank._replace(total=trees.zeros_like(asked.x), unit_total=trees.zeros_like(asked.x))
        with torch_threads(1):  # as the members have
            self._work.prepare(asked, sums)  # once, and not in every process
        of_portions = [_shared(sums) for _ in range(PORTIONS)]
        board = Board(shared_zeros(asked.x), shared_zeros(asked.shared), of_portions)
        return _Members(self._work, board, self._count)


class _Members:
    """Processes that are forked from this one, and end with it or when they are dismissed."""

    def __init__(self, work: PortionWork, board: Board, count: int) -> None:
        self.board = board
        self._members = begun(count, partial(_serve, work, board), daemon=True)
        self._owner = os.getpid()
        self.dismiss = weakref.finalize(self, _dismiss, self._members, self._owner)

    def are_ours(self) -> bool:
        """Whether this process forked them; one that was forked later has a copy that it must not
        use.
        """
        return os.getpid() == self._owner

    def compute(self, dealt: list[list[int]], asked: Assignment) -> list[dict[int, Tree]]:
        """Put the sums of the portions on the board, and return what the clients of each keep."""
        for tree, on_board in ((asked.x, self.board.x), (asked.shared, self.board.shared)):
            for name, leaf in tree.items():
                on_board[name].copy_(leaf)
        rest = asked._replace(x={}, shared={}, memories=[], upcoming=None)
        orders = []
        for i, portion in enumerate(dealt):
            orders.append(Order(i, {k: _sent(asked.memories[k]) for k in portion}, rest))
        orders.reverse()
        kept: list[dict[int, Tree]] = [{} for _ in dealt]
        busy: dict[Connection, int] = {}
        free = list(self._members)
        while orders or busy:
            while orders and free:
                member, order = free.pop(), orders.pop()
                self._send(member, order)
                busy[member] = order.portion
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                for k, arrays in self._answer(connection).items():
                    kept[busy[connection]][k] = _received(arrays)
                del busy[connection]
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
            f"a process of the executor 'processes' ended with exit code {member.exitcode} (-9: "
            "killed, often for want of memory); ask for fewer with processes(workers=N), or use "
            "threads"
        )


def _serve(work: PortionWork, board: Board, connection: Connection) -> None:
    """Answer orders in a forked process, until nobody is left to give one."""
    torch.set_num_threads(1)
    while True:
        order: Order = connection.recv()
        try:
            answer: Kept | Exception = _computed(work, board, order)
        except HeadstartError as error:
            answer = error
        except Exception:  # whatever computing somebody's network may raise
            answer = RuntimeError(
                f"in a process of the executor 'processes':\n{traceback.format_exc()}"
            )
        connection.send(answer)


def _computed(work: PortionWork, board: Board, order: Order) -> Kept:
    sums = board.sums[order.portion].with_alignment_if(order.rest.watched)
    sums.clear()
    asked = order.rest._replace(x=board.x, shared=board.shared)
    memories = {k: _received(arrays) for k, arrays in order.memories.items()}
    return {k: _sent(memory) for k, memory in work.compute(asked, memories, sums).items()}


def _dismiss(members: dict[Connection, BaseProcess], owner: int) -> None:
    if os.getpid() != owner:
        return
    for connection, member in members.items():
        connection.close()
        member.terminate()
    for member in members.values():
        member.join()


def _shared(like: Sums) -> Sums:
    """Sums over no clients, in memory that all processes see."""
    numbers = shared_zeros({"tally": like.tally, "squared_norms": like.squared_norms})
    return Sums(
        update=shared_zeros(like.update),
        message=shared_zeros(like.message),
        tally=numbers["tally"],
        squared_norms=numbers["squared_norms"],
        total=shared_zeros(like.total),
        unit_total=shared_zeros(like.unit_total),
    )


def _sent(tree: Tree) -> Arrays:
    """Arrays go through a pipe as they are; tensors would be moved to files in shared memory."""
    return {name: leaf.numpy() for name, leaf in tree.items()}


def _received(arrays: Arrays) -> Tree:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
