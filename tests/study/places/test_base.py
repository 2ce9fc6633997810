"""What a place is: how many items are under way in it, and the stream of their events."""

from tests.study.small_studies import study

from headstart.study.places.base import Place
from headstart.study.places.this_machine import ThisMachine


def test_this_machine_is_a_place() -> None:
    place: Place = ThisMachine(3)
    assert place.jobs == 3
    assert list(place.events([], lambda out, item, stop: iter(()), "", print, study().runs)) == []  # type: ignore[arg-type]
