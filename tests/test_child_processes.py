"""Workers: what they say arrives whole and in order, what was begun is saved,
and none outlives who it works for.
"""

import os
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkProcess
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from headstart.child_processes import IsStopping, LostError, Workers
from headstart.errors import HeadstartError


def count_to(number: int, is_stopping: IsStopping) -> Iterator[tuple[int, int]]:
    """The numbers up to one, until told to stop; then -1."""
    for i in range(number):
        if is_stopping():
            yield number, -1
            raise KeyboardInterrupt
        yield number, i


class OddError(Exception):
    """An error that cannot be made anew from what it says."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} {other}")


def fail(item: str, is_stopping: IsStopping) -> Iterator[str]:
    yield item
    if item == "known":
        raise HeadstartError("what is wrong")
    if item == "unknown":
        raise ZeroDivisionError("by nothing")
    if item == "not to be sent":
        raise OddError(1, 2)
    os.kill(os.getpid(), signal.SIGKILL)


def nothing() -> None:
    pass


@pytest.mark.parametrize(("workers", "forked"), [(1, True), (2, True), (2, False)])
def test_every_stream_arrives_whole_and_in_order(workers: int, forked: bool) -> None:
    crew = Workers(workers, count_to, nothing, forked)
    heard = list(crew.streams([3, 1, 4]))
    crew.close()
    assert sorted(heard) == [(1, 0), (3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3)]
    for number in (1, 3, 4):
        assert [i for n, i in heard if n == number] == list(range(number))


def test_a_worker_goes_on_when_its_message_was_taken() -> None:
    crew = Workers(1, count_to, nothing)
    messages = crew.streams([10**9])
    assert [next(messages) for _ in range(3)] == [(10**9, 0), (10**9, 1), (10**9, 2)]
    messages.close()
    assert list(crew.rest())[-1] == (10**9, -1)
    crew.close()


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        ("known", HeadstartError, "^what is wrong$"),
        ("unknown", ZeroDivisionError, "^by nothing"),
        ("not to be sent", RuntimeError, r"^in a worker process:\nTraceback(?s:.*)OddError"),
        ("killed", LostError, "^a worker process was killed$"),
    ],
)
def test_what_a_worker_raises_is_raised_here(
    item: str, error: type[Exception], message: str
) -> None:
    crew = Workers(2, fail, nothing)
    heard: list[Any] = []  # type: ignore[name-defined]
    with pytest.raises(error, match=message):
        heard.extend(crew.streams([item]))
    assert list(crew.rest()) == []
    crew.close()


def test_workers_that_were_begun_end_where_another_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as where the system has no more files or processes; nobody would tell them to end."""
    starts: list[BaseProcess] = []
    start = ForkProcess.start

    def start_two(process: ForkProcess) -> None:
        if len(starts) == 2:
            raise OSError(24, "Too many open files")
        start(process)
        starts.append(process)

    monkeypatch.setattr(ForkProcess, "start", start_two)
    with pytest.raises(OSError, match="Too many open files"):
        Workers(3, count_to, nothing)
    assert [process.is_alive() for process in starts] == [False, False]
