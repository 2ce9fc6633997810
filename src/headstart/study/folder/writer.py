"""The one writer of a study's folder: it writes what the events of runs say, each file whole or not
at all.
"""

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

from headstart import files
from headstart.engine import journal
from headstart.errors import HeadstartError
from headstart.starts import weights
from headstart.study.events import Ended, Event, Failed, Made, Saved, Tried
from headstart.study.folder import failed
from headstart.study.folder.store import (
    BEST,
    CHECKPOINT,
    HINT,
    JOURNAL,
    STARTS_FOLDER,
    STATE,
    WEIGHTS,
    Folder,
)

T = TypeVar("T")


class Writer:
    """Writes into the folder of a study. Only the process that holds the folder has one."""

    def __init__(self, path: Path) -> None:
        self._path, self._folder = path, Folder(path)

    def write(self, event: Event) -> None:
        """Write what an event says.

        Raises:
            HeadstartError: the disk is full, the folder is not writable.
        """
        match event:
            case Made():
                files.write(self._path / STARTS_FOLDER / event.name, event.content)
            case Saved():
                self._save(event)
            case Ended():
                self._end(event)
            case Failed():
                failed.note(self._folder.run(event.run.key), event.run, event.why)
            case Tried():
                path = self._folder.trial(event.search, event.number)
                files.write_record(path, event.record)

    def write_all(self, stream: Generator[Event, None, T]) -> T:
        """Write what a stream says, and return what it returns."""
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                result: T = end.value
                return result
            self.write(event)

    def _save(self, event: Saved) -> None:
        """The checkpoint last: it counts on the others."""
        run = self._folder.run(event.run.key)
        if event.best:
            files.write(run / BEST, event.best)
        journal.write(run / JOURNAL, event.begin, event.entry, event.lasting)
        if event.checkpoint:
            files.write(run / CHECKPOINT, event.checkpoint, event.lasting)

    def _end(self, event: Ended) -> None:
        run = self._folder.run(event.run.key)
        if event.best:
            files.write(run / BEST, event.best)
        if event.best_round is not None:
            _refuse_another_round(run / BEST, event.best_round)
        files.write(run / WEIGHTS, event.weights)
        self._folder.finish(event.run.key, dict(event.record), event.rows)
        _leave_state(run, event.state_stays)
        (run / HINT).unlink(missing_ok=True)
        failed.forget(run)


def _refuse_another_round(path: Path, best_round: int) -> None:
    """Leave no weights of another round, such as those of a shorter run that this one continues."""
    try:
        if path.exists() and weights.note_of(path)["round"] != best_round:
            path.unlink()
    except (HeadstartError, KeyError):
        path.unlink(missing_ok=True)


def _leave_state(run: Path, state_stays: bool) -> None:
    """Keep the last checkpoint for a run of more rounds to go on from, or remove it."""
    checkpoint = run / CHECKPOINT
    with files.explained(checkpoint, "rename"):
        if state_stays and checkpoint.exists():
            checkpoint.rename(run / STATE)
        else:
            checkpoint.unlink(missing_ok=True)
            (run / JOURNAL).unlink(missing_ok=True)
