"""Worker processes, forked or begun afresh, with a pipe to each; they end with the process that
they work for. Knows nothing of torch.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from headstart.errors import HeadstartError

T = TypeVar("T")
M = TypeVar("M")

IsStopping = Callable[[], bool]
StreamOf = Callable[[T, IsStopping], Iterable[M]]
"""What a worker does with an item: it yields messages, and is asked for the next when the last one
was taken.
"""


STOP, TAKEN = "stop", "taken"
"""What a worker is told while it is at an item.

It is sent an item, answers with messages, and then with "end" or "error". After each message it
waits for `TAKEN`. `STOP` is sent once, at any time: so it may come between two messages, or before
the `TAKEN` that a message is waiting for, or after the end, where it stands in place of an item.
"""


class LostError(HeadstartError):
    """A worker ended that was not told to."""


class Workers:
    """Processes that turn items into streams of messages, each with a pipe to this process.

    They have all that this process has made if they are forked, and end with it. `close` them at
    the end.

    Args:
        count: how many there are.
        stream_of: what they do with an item.
        begin: what each does first.
        forked: whether they are forked from this process; else they begin afresh, and what they are
            given is sent.
    """

    def __init__(
        self,
        count: int,
        stream_of: StreamOf[Any, Any],
        begin: Callable[[], None] = lambda: None,
        forked: bool = True,
    ) -> None:
        serve = partial(_answer_items, stream_of, begin)
        self._members = begun(count, serve, forked)
        self._busy: set[Connection] = set()

    def streams(self, items: Iterable[Any]) -> Generator[Any, None, None]:
        """Yield the messages of items as they come. Items begin in their order; a worker gets one
        when it is free.

        Raises:
            LostError: a worker was killed. What one raises is raised here, too.
        """
        waiting = deque(items)
        for connection in self._members:
            self._give(connection, waiting)
        while self._busy:
            for connection in self._heard():
                kind, message = self._next(connection)
                if kind == "message":
                    try:
                        yield message
                    finally:
                        self._tell(connection, TAKEN)
                elif kind == "end":
                    self._give(connection, waiting)
                else:
                    raise message

    def rest(self) -> Iterator[Any]:
        """Have all workers stop, and yield what they still have to say."""
        for connection in self._busy:
            self._tell(connection, STOP)
        while self._busy:
            for connection in self._heard():
                with suppress(LostError):
                    kind, message = self._next(connection)
                    if kind == "message":
                        yield message
                        self._tell(connection, TAKEN)

    def close(self) -> None:
        """Let the workers end, and wait for them."""
        for connection in self._members:
            connection.close()
        for member in self._members.values():
            member.join()

    def _heard(self) -> list[Connection]:
        """Those who have something to say; waits for one."""
        return [one for one in wait(list(self._busy)) if isinstance(one, Connection)]

    def _give(self, connection: Connection, waiting: deque[Any]) -> None:
        if waiting:
            self._busy.add(connection)
            self._tell(connection, waiting.popleft())

    def _tell(self, connection: Connection, message: Any) -> None:
        with suppress(OSError):  # of one that was killed, which is noticed when it is heard
            connection.send(message)

    def _next(self, connection: Connection) -> tuple[str, Any]:
        """Return what a worker says, whole, also where Ctrl-C comes meanwhile."""
        try:
            with uninterrupted():
                kind, message = connection.recv()
        except (EOFError, OSError):
            self._busy.discard(connection)
            self._members[connection].join()
            raise LostError("a worker process was killed") from None
        if kind != "message":
            self._busy.discard(connection)
        return kind, message


def cannot_fork(device: str) -> str:
    """Return why what is computed on a device cannot be in forked processes; empty where it can."""
    if device.partition(":")[0] != "cpu":
        return f"computes on the CPU, and the device is {device}"
    if sys.platform != "linux":
        return f"forks this process, which is safe on Linux only, and this is {sys.platform}"
    if multiprocessing.current_process().daemon:
        return "starts processes, which a daemon process may not"
    return ""


def begun(
    count: int,
    serve: Callable[[Connection], None],
    forked: bool = True,
    daemon: bool = False,
) -> dict[Connection, BaseProcess]:
    """Begin worker processes, and return them by this end of the pipe to each.

    Args:
        count: how many there are.
        serve: what each does with its end of the pipe, until nobody is left at the other.
        forked: whether they are forked from this process.
        daemon: whether they may begin no processes of their own, and are ended with this one.
    """
    context: Any = multiprocessing.get_context("fork" if forked else "spawn")
    members: dict[Connection, BaseProcess] = {}
    with uninterrupted():
        try:
            for _ in range(count):
                ours, theirs = context.Pipe()
                # A copy of our end that a worker keeps open would hide from the others that this
                # process has ended.
                others = [*members, ours] if forked else []
                member = context.Process(target=_serve, args=(serve, theirs, others), daemon=daemon)
                member.start()
                theirs.close()
                members[ours] = member
        except OSError:  # of files or processes there may be no more
            for connection, member in members.items():
                connection.close()
                member.terminate()
                member.join()
            raise
    return members


def _serve(
    serve: Callable[[Connection], None],
    connection: Connection,
    others: list[Connection],
) -> None:
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that it works for decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        serve(connection)


def _answer_items(
    stream_of: StreamOf[Any, Any], begin: Callable[[], None], connection: Connection
) -> None:
    """Turn items into streams, one after the other, until told to stop between two."""
    begin()
    line = _Line(connection)
    while (item := connection.recv()) != STOP:
        line.answer(stream_of, item)


class _Line:
    """A worker's end of its pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._stopping = connection, False

    def answer(self, stream_of: StreamOf[Any, Any], item: Any) -> None:
        """Send the messages of an item, each when the one before was taken."""
        try:
            for message in stream_of(item, self.is_stopping):
                self._connection.send(("message", message))
                while self._connection.recv() != TAKEN:
                    self._stopping = True
        except Exception as error:  # whatever computing somebody's part may raise
            self._connection.send(("error", _sendable(error)))
        else:
            self._connection.send(("end", None))

    def is_stopping(self) -> bool:
        """Whether this worker was told to stop."""
        if not self._stopping and self._connection.poll():
            self._connection.recv()  # `STOP`: between two messages nothing else is sent
            self._stopping = True
        return self._stopping


def _sendable(error: Exception) -> Exception:
    """The error with where it was raised; in words alone, where it cannot be sent."""
    trace = f"in a worker process:\n{traceback.format_exc()}"
    if not isinstance(error, HeadstartError):
        error.add_note(trace)
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # of whatever class it is
        return RuntimeError(trace)
    return error


def end_with_parent() -> None:
    """Have a worker of `multiprocessing` end at once when the process that began it is gone.

    No signal or message can be counted on, for a process that is killed sends none. A thread waits
    for the end of a pipe that only the parent holds open.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_and_end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off a Ctrl-C until the block has ended; processes begun within it never get one.

    For what a thread blocks is blocked in its children. Without it a worker that is still importing
    would answer with a traceback. Another thread of this process may take the signal, so its
    handler only notes it.
    """
    came: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    handler: Any = signal.SIG_DFL
    if in_main:
        handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if in_main:
            signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGINT)
