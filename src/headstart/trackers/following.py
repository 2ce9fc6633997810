"""Trackers and a study: they are begun with it, told by it, and never stop it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.trackers.base import Tracker, begin

if TYPE_CHECKING:
    from headstart.engine.journal import Row
    from headstart.study.runner import Event
    from headstart.study.spec import RunSpec, Study

Follow = Callable[["RunSpec", "Sequence[Row]"], None]
Watch = Callable[["Event"], None]


@contextmanager
def following(
    track: object, study: "Study", out: Path, watch: Watch, tell: Callable[[str], None]
) -> Iterator[tuple[Follow | None, Watch]]:
    """Yields what a study with these trackers is followed and watched by. `tell` is given a line
    where one fails.

    Raises:
        HeadstartError: a tracker is none, or cannot begin. The study has not begun then.
    """
    begun = begin(track, out, {"name": study.file.name, "title": study.file.title})
    if not begun:
        yield None, watch
        return
    from headstart.study.folder.store import Folder
    from headstart.study.spec import RunSpec

    guarded = [_Guarded(name, tracker, tell) for name, tracker in begun]

    def follow(run: RunSpec, rows: "Sequence[Row]") -> None:
        for each in guarded:
            each.call("measured", run, rows)

    def watch_too(event: "Event") -> None:
        if isinstance(event.run, RunSpec):
            record = Folder(out).record(event.run.key)
            for each in guarded:
                each.call("ended", event.run, record)
        watch(event)

    try:
        yield follow, watch_too
    finally:
        for each in guarded:
            each.call("close")


class _Guarded:
    """A tracker that is left alone once it has failed: whatever it raises, the study goes on."""

    def __init__(self, name: str, tracker: Tracker, tell: Callable[[str], None]) -> None:
        self._name, self._tracker, self._tell, self._failed = name, tracker, tell, False

    def call(self, method: str, *arguments: Any) -> None:
        """Call one of its methods, unless it has failed."""
        if self._failed:
            return
        try:
            getattr(self._tracker, method)(*arguments)
        except (Exception, SystemExit) as error:
            self._failed = True
            reason = " ".join(str(error).split())[:300]
            self._tell(
                f"the tracker {self._name} failed ({type(error).__name__}: {reason}) and is left alone; "
                "the study goes on"
            )
