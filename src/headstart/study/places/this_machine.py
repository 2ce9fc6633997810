"""The place that needs nothing else: this process, or others of this machine."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from headstart.child_processes import StreamOf
from headstart.study.events import Event
from headstart.study.file.run_spec import RunSpec
from headstart.study.places.base import StreamIn, Write
from headstart.study.places.processes import processes
from headstart.study.stream import never

T = TypeVar("T")


@dataclass(frozen=True)
class ThisMachine:
    """This machine. `jobs`: the number of processes."""

    jobs: int = 1

    def events(
        self,
        items: Sequence[T],
        stream_in: StreamIn[T],
        out: Path,
        write: Write,
        runs: Sequence[RunSpec],
    ) -> Generator[Event, None, None]:
        """Yield the events of items (see `Place`): in this process, where another one would have
        nothing to do.

        Args:
            items: what is carried out.
            stream_in: what is done with each of them.
            out: the study's folder.
            write: writes an event there.
            runs: those whose tasks are shared by all processes.
        """
        stream_of = partial(stream_in, out)
        if self.jobs == 1 or len(items) < 2:
            return _in_turn(items, stream_of, write)
        return processes(items, stream_of, write, self.jobs, runs)


def _in_turn(
    items: Sequence[T], stream_of: StreamOf[T, Event], write: Write
) -> Generator[Event, None, None]:
    """Yield the events of items, one item after the other, in this process."""
    for item in items:
        for event in stream_of(item, never):
            write(event)
            yield event
