"""Trackers and a study: they are begun with it, watch it, and never stop it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import HeadstartError, nearest
from headstart.trackers.base import Tracker

if TYPE_CHECKING:
    from headstart.study.events import Measured
    from headstart.study.looking.stages import Looked
    from headstart.study.places.pace import Advance
    from headstart.study.runner import Watch
    from headstart.study.spec import Study

FOLDER = "trackers"
"""In a study's folder: what trackers write that write to files."""


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
    from headstart.study.places.pace import Advance

    guarded = [_Guarded(name, tracker, tell) for name, tracker in begun]

    def watch_too(event: "Measured | Advance | Looked") -> None:
        for each in guarded:
            if isinstance(event, Measured):
                each.call("measured", event.run, event.rows)
            elif isinstance(event, Advance) and event.record is not None:
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
                f"the tracker {self._name} failed ({type(error).__name__}: {reason}) and is left "
                "alone; the study goes on"
            )


Factory = Callable[[Path, Mapping[str, Any]], Tracker]
"""(folder to write to, settings of the study) -> the tracker."""


def _factory(name: str) -> Factory:
    if name == "tensorboard":
        from headstart.trackers.tensorboard import TensorBoard

        return TensorBoard
    if name == "mlflow":
        from headstart.trackers.mlflow import MLflow

        return MLflow
    from headstart.trackers.wandb import WandB

    return WandB


NAMES = ("tensorboard", "mlflow", "wandb")


def begin(asked: object, out: Path, settings: Mapping[str, Any]) -> list[tuple[str, Tracker]]:
    """The trackers that were asked for, by name, or as they were given.

    Raises:
        HeadstartError: there is none of that name, or its package is not installed.
    """
    several = asked if isinstance(asked, list | tuple) else [asked]
    return [_begun(one, out, settings) for one in several if one is not None]


def _begun(asked: Any, out: Path, settings: Mapping[str, Any]) -> tuple[str, Tracker]:
    if not isinstance(asked, str):
        if isinstance(asked, Tracker):
            return type(asked).__name__, asked
        raise HeadstartError(
            f"track: expected one of {', '.join(NAMES)}, or an object with the methods measured, "
            f"ended and close, got {type(asked).__name__}"
        )
    if asked not in NAMES:
        raise HeadstartError(f"track: unknown tracker {asked!r}{nearest(asked, NAMES)}")
    try:
        return asked, _factory(asked)(out / FOLDER, settings)
    except ImportError as error:
        raise HeadstartError(
            f"track: {asked} is not installed ({error}); pip install 'headstart[trackers]'"
        ) from None
    except Exception as error:  # whatever somebody else's tracker may raise
        raise HeadstartError(
            f"track: {asked} cannot begin: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from None
