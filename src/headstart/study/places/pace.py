"""How much of a study's work is done, with what is under way."""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from headstart.study.file.run_spec import RunSpec
from headstart.study.tuning.search import Search


@dataclass(frozen=True)
class Advance:
    """A run ended, or the search for its rates: `done` of `total`, and what came of it.

    share: of the work of all searches and runs that were not done at the beginning, by rounds and
    local epochs; what is under way counts by the time it has taken. left: the seconds that the rest
    takes, about. more: runs that end together with this one and are told after it. record: of a run
    that ended, its record.
    """

    done: int
    total: int
    share: float
    run: RunSpec | Search
    status: str
    left: float = 0.0
    more: int = 0
    record: Mapping[str, Any] | None = None


class Tally:
    """Counts what has ended of a study that `jobs` processes carry out."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._before = self._so_far = 0.0

    def begin(self, work: Mapping[Any, float], done: int, total: int, later: float) -> None:
        """Begin to carry out items.

        Args:
            work: the items in the order in which they begin, and their work.
            done: the searches and runs that have ended.
            total: the searches and runs of the study.
            later: the work that comes after these items.
        """
        self._before = self._so_far
        self._work = self._before + sum(work.values()) + later
        self._done, self._total = done, total
        self._open, self._pace = set(work), Pace(work, self._jobs)

    def ended(
        self,
        item: Hashable,
        run: RunSpec | Search,
        status: str,
        more: int = 0,
        record: Mapping[str, Any] | None = None,
    ) -> Advance:
        """Tell of the end of one of the runs of an item. With the first of them all its work counts
        as done.

        Args:
            item: one of those that were begun.
            run: what ended.
            status: how it ended.
            more: runs of the item that are to end yet.
            record: of a run that ended, its record.
        """
        if item in self._open:
            self._open.remove(item)
            self._so_far = self._before + self._pace.ended(item)
        self._done += 1
        left = self._pace.seconds_for(self._work - self._so_far)
        return Advance(
            self._done, self._total, self._so_far / self._work, run, status, left, more, record
        )


class Pace:
    """The share of the work that is done, where `jobs` items at a time are under way and begin in
    their order.

    Items report only when they end, so those under way are credited by the time that they have
    taken, at the speed of those that have ended.
    """

    def __init__(
        self, work: Mapping[Any, float], jobs: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._work, self._clock, self._jobs = work, clock, jobs
        self._waiting = list(work)
        self._begun: dict[Hashable, float] = {}
        self._done = self._seconds = 0.0
        for _ in range(jobs):
            self._begin_next(clock())

    def ended(self, item: Hashable) -> float:
        """The work that is done when this item has ended: all of it when nothing is under way."""
        now = self._clock()
        self._done += self._work[item]
        self._seconds += now - self._begun.pop(item, now)
        self._begin_next(now)
        speed = self._speed
        under_way = (
            min(MOST * self._work[each], speed * (now - begun))
            for each, begun in self._begun.items()
        )
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
