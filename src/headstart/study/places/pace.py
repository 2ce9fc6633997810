"""How much of a study's work is done, with what is under way."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any


class Pace:
    """The share of the work that is done, where `jobs` items at a time are under way and begin in their order.

    An item ends at once, after minutes, and up to `jobs` others are then nearly done as well: they count by the time
    that they have taken, at the speed of those that have ended.
    """

    def __init__(self, work: Mapping[Any, float], jobs: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._work, self._clock, self._jobs = work, clock, jobs
        self._waiting = list(work)
        self._begun: dict[Hashable, float] = {}
        self._done = self._seconds = 0.0
        for _ in range(jobs):
            self._begin_next(clock())

    def ended(self, item: Hashable) -> float:
        """The work that is done once this item has ended: all of it only when nothing is under way."""
        now = self._clock()
        self._done += self._work[item]
        self._seconds += now - self._begun.pop(item, now)
        self._begin_next(now)
        speed = self._speed
        under_way = (min(MOST * self._work[each], speed * (now - begun)) for each, begun in self._begun.items())
        return self._done + sum(under_way)

    def seconds_for(self, work: float) -> float:
        """How long so much work takes from now on, at the speed of what has ended."""
        return work / self._speed / self._jobs if self._speed else 0.0

    @property
    def _speed(self) -> float:
        """Work a second of one item."""
        return self._done / self._seconds if self._seconds else 0.0

    def _begin_next(self, now: float) -> None:
        if self._waiting:
            self._begun[self._waiting.pop(0)] = now


MOST = 0.99
"""Of an item that is under way, so much is done at most."""
