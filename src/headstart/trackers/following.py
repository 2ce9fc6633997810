"""Trackers and a study: they are begun with it, watch it, and never stop it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.trackers.base import Tracker, begin

if TYPE_CHECKING:
    from headstart.study.events import Measured
    from headstart.study.places.pace import Advance
    from headstart.study.runner import Watch
    from headstart.study.spec import Study


@contextmanager
def following(
    track: object, study: "Study", out: Path, watch: "Watch", tell: Callable[[str], None]
) -> Iterator["Watch"]:
    """Yields a watcher that tells trackers of a study, and then `watch`.

    Args:
        track: names of trackers, or objects with their methods.
        study: the study.
        out: its folder.
        watch: is told what the trackers are.
        tell: is given a line where a tracker fails.

    Raises:
        HeadstartError: a tracker is none, or cannot begin. The study has not begun then.
    """
    begun = begin(track, out, {"name": study.file.name, "title": study.file.title})
    if not begun:
        yield watch
        return
    from headstart.study.events import Measured

    guarded = [_Guarded(name, tracker, tell) for name, tracker in begun]

    def watch_too(event: "Measured | Advance") -> None:
        for each in guarded:
            if isinstance(event, Measured):
                each.call("measured", event.run, event.rows)
            elif event.record is not None:
                each.call("ended", event.run, event.record)
        watch(event)

    try:
        yield watch_too
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
