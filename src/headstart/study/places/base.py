"""A place: what computes the streams of events of runs and searches."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from headstart.child_processes import IsStopping
from headstart.study.events import Event
from headstart.study.file.run_spec import RunSpec

T = TypeVar("T")

StreamIn = Callable[[Path, T, IsStopping], Iterator[Event]]
"""What is done with an item in a study's folder, which is read and never written: a function of a
module, or a `partial` of one, so that another process can be sent it.
"""

Write = Callable[[Event], None]
"""Writes an event into the study's folder."""


class Place(Protocol):
    """A place. `jobs`: how many items are under way in it at once, about."""

    @property
    def jobs(self) -> int:
        """About how many items are under way at once."""

    def events(
        self,
        items: Sequence[T],
        stream_in: StreamIn[T],
        out: Path,
        write: Write,
        runs: Sequence[RunSpec],
    ) -> Generator[Event, None, None]:
        """Yield the events of items as they come, each after it was written; items begin in the
        order given.

        Args:
            items: what is carried out.
            stream_in: what is done with each of them.
            out: the study's folder.
            write: writes an event there.
            runs: those whose tasks are made once and shared by all, and on whose devices is
                computed.
        """
