"""The place where runs are carried out side by side: processes of this machine.

Workers are forked where that is safe, after the tasks were made: they have all that this process
has imported, made and recorded, and copy none of it. Elsewhere they begin afresh, and map the tasks
from files.
"""

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import torch

from headstart.child_processes import LostError, StreamOf, Workers, cannot_fork
from headstart.errors import HeadstartError
from headstart.parts.own_modules import sent_along
from headstart.study.data import task_of
from headstart.study.events import Event
from headstart.study.file.run_spec import RunSpec
from headstart.study.places.base import Write
from headstart.study.places.sharing import Shared, laid_out, take

T = TypeVar("T")


def forks_here(device: str) -> bool:
    """Whether processes that compute on a device are forked from this one here."""
    return not cannot_fork(device)


def processes(
    items: Sequence[T],
    stream_of: StreamOf[T, Event],
    write: Write,
    count: int,
    runs: Sequence[RunSpec],
) -> Generator[Event, None, None]:
    """Yield the events of items as they come, each after it was written; items begin in the order
    given.

    However this ends, the workers save what is under way, and that is written, too.

    Args:
        items: what is carried out; with a process for each at the most.
        stream_of: a function of a module, or a `partial` of one, so that a process can be sent it.
        write: writes an event into the study's folder.
        count: the number of processes.
        runs: those whose tasks are made once and shared by all, and on whose devices is computed.
    """
    placed = dict.fromkeys((run.task, run.device) for run in runs)
    forked = all(forks_here(device) for _, device in placed)
    for task, _ in placed:
        task_of(task)
    with laid_out([] if forked else [task for task, _ in placed]) as shared:
        with _without_script([] if forked else runs), sent_along():
            workers = Workers(min(count, len(items)), stream_of, partial(_begin, shared), forked)
        try:
            with closing(workers.streams(items)) as events:
                for event in events:
                    write(event)
                    yield event
        except LostError:
            raise HeadstartError(
                "a worker process was killed (out of memory?) or could not begin (a script of your "
                "own needs `if __name__ == '__main__':`); run again to go on, with fewer --jobs"
            ) from None
        finally:
            for event in workers.rest():
                # The user must read what went wrong first, and nothing that follows from it.
                with suppress(HeadstartError, OSError):
                    write(event)
            workers.close()


def _begin(shared: Shared) -> None:
    """Have one torch thread in a worker, and the tasks that this process has."""
    take(shared)
    torch.set_num_threads(1)


@contextmanager
def _without_script(runs: Sequence[RunSpec]) -> Iterator[None]:
    """Processes that begin afresh within the block do not run the program's script again, which may
    have no main guard.

    They have no need of it, unless a part of the runs is a function of the script itself.
    """
    main = sys.modules["__main__"]
    if not runs or any(map(_is_of_script, runs)):
        yield
        return
    before: dict[str, Any] = {"__spec__": vars(main).get("__spec__")}
    if "__file__" in vars(main):
        before["__file__"] = vars(main)["__file__"]
    try:
        vars(main).pop("__file__", None)
        vars(main)["__spec__"] = None
        yield
    finally:
        vars(main).update(before)


def _is_of_script(run: RunSpec) -> bool:
    """Whether a part of a run is a function of the program's script."""
    modules = {part.name.partition(":")[0] for part in run.parts}
    return "__main__" in modules
