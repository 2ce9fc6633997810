"""This machine carries out items in one process or several, in the folder that it is told."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.study.small_studies import study

from headstart.child_processes import IsStopping
from headstart.study.events import Event, Tried
from headstart.study.places.this_machine import ThisMachine


def process(out: Path, item: int, is_stopping: IsStopping) -> Iterator[Event]:
    yield Tried(out.name, item, {"process": os.getpid()})


@pytest.mark.parametrize(("jobs", "items", "others"), [(1, 3, 0), (2, 1, 0), (2, 3, 2)])
def test_items_are_carried_out_in_processes_where_several_are_at_work(
    jobs: int, items: int, others: int, tmp_path: Path
) -> None:
    written: list[Event] = []
    runs = study().runs
    place = ThisMachine(jobs)
    told = list(place.events(range(items), process, tmp_path, written.append, runs))
    assert told == written
    tried = [event for event in told if isinstance(event, Tried)]
    assert sorted(event.number for event in tried) == list(range(items))
    assert {event.search for event in tried} == {tmp_path.name}
    found = {event.record["process"] for event in tried} - {os.getpid()}
    assert len(found) <= others
    assert bool(found) == bool(others)


def tried(out: Path, number: int, is_stopping: IsStopping) -> Iterator[Event]:
    for i in range(number):
        yield Tried("search", i, {"of": number})


def test_in_one_process_an_item_begins_when_the_one_before_it_has_ended(tmp_path: Path) -> None:
    """Each event was written before the next is asked for."""
    written: list[Event] = []
    found = []
    for event in ThisMachine().events([2, 1], tried, tmp_path, written.append, []):
        assert written[-1] == event
        assert isinstance(event, Tried)
        found.append((event.number, event.record["of"]))
    assert found == [(0, 2), (1, 2), (0, 1)]
