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
