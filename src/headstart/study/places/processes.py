"""The runs and searches of a study in one process or several. A worker ends with the process that it works for.

Workers are forked where that is safe, after the tasks were made: they have all that this process has imported, made
and recorded, and copy none of it. Elsewhere they begin afresh, and map the tasks from files.
"""

import multiprocessing
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from headstart.engine.executors.processes import cannot_fork
from headstart.errors import HeadstartError
from headstart.forks import end_with_parent
from headstart.parts.registry import Component
from headstart.study.data import task_of
from headstart.study.following import Feed, Tell, nobody
from headstart.study.groups import Group
from headstart.study.places.sharing import Shared, laid_out, take
from headstart.study.spec import RunSpec
from headstart.study.stream import carry_out_group

T = TypeVar("T")
U = TypeVar("U")
IsStopping = Callable[[], bool]
SECONDS_BETWEEN_NEWS = 0.5


def longest_first(groups: list[Group], jobs: int) -> list[Group]:
    """With several processes the longest groups begin first, so that none is left waiting at the end."""
    return sorted(groups, key=lambda group: -len(group) * group[0].local_epochs) if jobs > 1 else groups


def each_group(
    groups: list[Group], out: Path, jobs: int, checkpoint_seconds: float, tell: Tell | None = None
) -> Iterator[tuple[Group, list[tuple[RunSpec, str]]]]:
    """Groups as their runs end, with those of its runs that were not done before.

    `tell` is told what runs measure while they are under way, in this process.
    """
    firsts = [group[0] for group in groups]
    if tell is None or jobs == 1 or len(groups) < 2:
        work = partial(_one_group, out, checkpoint_seconds, tell or nobody)
        yield from each(groups, work, jobs, firsts)
        return
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        feed = Feed(Path(folder))

        def hear() -> None:
            for key, rows in feed.news():
                tell(key, rows)

        work = partial(_one_group, out, checkpoint_seconds, feed.tell)
        for ended in each(groups, work, jobs, firsts, hear):
            hear()
            yield ended


def _one_group(
    out: Path, checkpoint_seconds: float, tell: Tell, group: Group, is_stopping: IsStopping
) -> list[tuple[RunSpec, str]]:
    return carry_out_group(group, out, checkpoint_seconds, is_stopping, tell)


def forks_here(device: str) -> bool:
    """Whether processes that compute on a device are forked from this one here."""
    return not cannot_fork(torch.device(device))


def each(
    pending: Sequence[T],
    work: Callable[[T, IsStopping], U],
    jobs: int,
    runs: Iterable[RunSpec],
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[tuple[T, U]]:
    """Items as they end, with what `work` returns for each; they begin in the order given.

    The tasks of `runs` are made once and shared by all processes, which compute on the devices of `runs`. `work` is a
    function of a module, or a `partial` of one, so that a process can be sent it. `meanwhile` is called now and then
    while workers are at it.
    """
    if jobs == 1 or len(pending) < 2:
        for item in pending:
            yield item, work(item, lambda: False)
        return
    runs = list(runs)
    placed = dict.fromkeys((run.task, run.device) for run in runs)
    forks = all(forks_here(device) for _, device in placed)
    context = multiprocessing.get_context("fork" if forks else "spawn")
    stop = context.RawValue("b", 0)  # no lock that a killed worker could keep
    for task, _ in placed:
        task_of(task)
    with (
        laid_out([] if forks else [task for task, _ in placed]) as shared,
        ProcessPoolExecutor(min(jobs, len(pending)), context, _begin_worker, (stop, shared)) as pool,
    ):
        try:
            with _uninterrupted_children(), _without_script([] if forks else runs):
                futures = {pool.submit(_in_worker, work, item): item for item in pending}
            waiting = set(futures)
            while waiting:
                pause = None if meanwhile is None else SECONDS_BETWEEN_NEWS
                ended, waiting = wait(waiting, pause, return_when=FIRST_COMPLETED)
                if meanwhile is not None:
                    meanwhile()
                for future in ended:
                    yield futures[future], future.result()
        except BrokenProcessPool:
            raise HeadstartError(
                "a worker process was killed (out of memory?) or could not begin (a script of your own needs "
                "`if __name__ == '__main__':`); run again to go on, with fewer --jobs"
            ) from None
        finally:
            stop.value = 1
            pool.shutdown(cancel_futures=True)


_stop: Any = None
"""In a worker: shared with the process that it works for, which sets it to 1 to have all runs stop."""


def _in_worker(work: Callable[[T, IsStopping], U], item: T) -> U:
    return work(item, lambda: bool(_stop.value))


def _begin_worker(stop: Any, shared: Shared) -> None:
    """One torch thread, no interrupts, and no worker that outlives the process that it works for."""
    global _stop
    _stop = stop
    take(shared)
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


@contextmanager
def _without_script(runs: Sequence[RunSpec]) -> Iterator[None]:
    """Processes that begin afresh within the block do not run the program's script again, which may have no main guard.

    They have no need of it, unless a part of the runs is a function of the script itself.
    """
    main = sys.modules["__main__"]
    before: dict[str, Any] = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    parts = {part for run in runs for part in (*vars(run).values(), *run.probes) if isinstance(part, Component)}
    if not runs or any(part.name.partition(":")[0] == "__main__" for part in parts):
        yield
        return
    try:
        vars(main).pop("__file__", None)
        vars(main)["__spec__"] = None
        yield
    finally:
        vars(main).update(before)


@contextmanager
def _uninterrupted_children() -> Iterator[None]:
    """Processes begun within the block never get a Ctrl-C: what a thread blocks is blocked in its children.

    Without it a worker that is still importing would answer one with a traceback, and so would one that this process
    had not told all when it was interrupted. Another thread of this process may take the signal, so its handler only
    notes it until the block has ended.
    """
    came: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number)) if in_main else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if in_main:
            signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGINT)
