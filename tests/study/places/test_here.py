"""In this process an item begins when the one before it has ended,
and each event was written before the next.
"""

from collections.abc import Iterator

from headstart.child_processes import IsStopping
from headstart.study.events import Event, Tried
from headstart.study.places.here import here


def tried(number: int, is_stopping: IsStopping) -> Iterator[Event]:
    for i in range(number):
        yield Tried("search", i, {"of": number})


def test_events_are_written_before_they_are_told() -> None:
    written: list[Event] = []
    for event in here([2, 1], tried, written.append):
        assert written[-1] == event
    assert [(event.number, event.record["of"]) for event in written if isinstance(event,
                                                                                  Tried)] == [
        (0, 2), (1, 2), (0, 1),
    ]  # fmt: skip
