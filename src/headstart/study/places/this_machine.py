"""The place that needs nothing else: this process, and others of this machine."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from headstart.study.events import Event
from headstart.study.file.run_spec import RunSpec
from headstart.study.places.base import StreamIn, Write
from headstart.study.places.here import here
from headstart.study.places.processes import processes

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
            return here(items, stream_of, write)
        return processes(items, stream_of, write, self.jobs, runs)
