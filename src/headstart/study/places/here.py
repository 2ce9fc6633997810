"""The place where runs are carried out one after the other: this process."""

from collections.abc import Generator, Sequence
from typing import TypeVar

from headstart.child_processes import StreamOf
from headstart.study.events import Event
from headstart.study.places.base import Write
from headstart.study.stream import never

T = TypeVar("T")


def here(
    items: Sequence[T], stream_of: StreamOf[T, Event], write: Write
) -> Generator[Event, None, None]:
    """Yield the events of items, each after it was written."""
    for item in items:
        for event in stream_of(item, never):
            write(event)
            yield event
