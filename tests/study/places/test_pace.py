"""What is done of a study, and so what is left: runs at once end at once,
processes end at about the same time.
"""

import pytest

from headstart.study.places.pace import Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_after_the_other_counts_what_has_ended() -> None:
    pace = Pace({"a": 60.0, "b": 60.0, "c": 30.0}, 1, Clock())
    assert [pace.ended(item) for item in "abc"] == [60.0, 120.0, 150.0]


def test_what_is_nearly_done_in_other_processes_counts() -> None:
    clock = Clock()
    pace = Pace({"a": 6.0, "b": 6.0, "c": 2.0}, 2, clock)
    clock.now = 280.0
    assert pace.ended("a") == pytest.approx(6 + 0.99 * 6)  # b began with it and is about to end
    clock.now = 290.0
    # C has been under way for ten seconds.
    assert pace.ended("b") == pytest.approx(12 + 10 * 12 / (280 + 290))
    clock.now = 380.0
    assert pace.ended("c") == 14.0


def test_the_time_left_is_that_of_what_is_left() -> None:
    """Twelve runs in two groups that take 280 seconds each: it was "1 of 12,
    about 3,080 s left".
    """
    clock = Clock()
    pace = Pace({"first": 6.0, "second": 6.0}, 1, clock)
    clock.now = 280.0
    assert pace.seconds_for(12 - pace.ended("first")) == pytest.approx(280)
