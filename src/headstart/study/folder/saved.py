"""The progress of a run in its folder: what a run that was interrupted, or one of more rounds, goes
on from.

DIR/runs/<key>/checkpoint.safetensors  while the run is under way: the state after some round
DIR/runs/<key>/state.safetensors       once it is done: the state before its last round
DIR/runs/<key>/measured.journal        the rows and the kept weights up to that round

A run of more rounds begins at the state before the last round, and does that round again: the last
round is always evaluated on all test rows, where a longer run may measure fewer, or nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from headstart import files, trees
from headstart.engine import checkpoint
from headstart.engine.federation import State, on_device
from headstart.engine.journal import Journal, Mark
from headstart.errors import HeadstartError
from headstart.study.events import Saved
from headstart.study.file.run_spec import RunSpec
from headstart.study.folder.store import BEST, CHECKPOINT, JOURNAL, STATE
from headstart.study.rounds import Progress

STATE_BYTES = 32 * 2**20
"""The most that state and journal of a run that is done may take: a hundred runs of larger ones
would fill a disk.
"""

IN_MEMORY = 2 * 2**20
"""Bytes of kept weights that a run under way has in memory before it writes them to its journal."""


class Saving:
    """What of one run is saved so far, as it says itself: its journal, and the round of its last
    checkpoint.

    `executor`: what computes it, to rounding like others.
    """

    def __init__(self, folder: Path, executor: str = "") -> None:
        self._folder, self._executor = folder, executor
        self._journal = Journal(folder / JOURNAL)
        self._size = 0
        self.round = 0
        """The round of the last checkpoint; 0 before the first."""

    @classmethod
    def load(
        cls, folder: Path, device: torch.device, executor: str = ""
    ) -> tuple["Saving", Progress, float]:
        """Read a checkpoint: the progress, and the seconds that were spent.

        Raises:
            HeadstartError: a file is damaged, or another executor began the run.
        """
        saving, path = cls(folder, executor), folder / CHECKPOINT
        state, note = checkpoint.load(path)
        with files.damage_explained(path, files.DELETE_IT):
            mark, seconds = Mark(**note["journal"]), float(note["seconds"])
            if note["executor"] != executor:
                raise ValueError(
                    f"it is of executor {note['executor']!r}, and {executor!r} is to go on"
                )
            _refuse_of_another(note, folder)
        saving._journal, rows = Journal.at(folder / JOURNAL, mark)
        saving.round, saving._size = state.round, path.stat().st_size
        progress = Progress(on_device(state, device), rows=rows)
        progress.earlier = saving._journal.kept(device)
        return saving, progress, seconds

    def save(
        self,
        run: RunSpec,
        progress: Progress,
        seconds: float,
        best: bytes = b"",
        lasting: bool = True,
    ) -> Saved:
        """Return what is new since the last time, with the state.

        Args:
            run: the run whose progress it is.
            progress: where it is; no weights of it that probes keep stay in memory.
            seconds: so many were spent on it.
            best: the file of the weights of its best round, if they are new.
            lasting: whether it is to be on the disk before the run goes on.
        """
        noted = self.note(run, progress)
        note = {
            "run": self._folder.name,
            "journal": asdict(self._journal.mark),
            "seconds": seconds,
            "executor": self._executor,
        }
        content = checkpoint.content(progress.state, note)
        self.round, self._size = progress.state.round, len(content)
        return replace(noted, checkpoint=content, best=best, lasting=lasting)

    def note(self, run: RunSpec, progress: Progress) -> Saved:
        """Return what is new for the journal, and keep no weights of it in memory. A checkpoint may
        follow or not.
        """
        begin = self._journal.mark.length
        device = next(iter(progress.state.x.values())).device
        entry = self._journal.entry(progress.rows[self._journal.rows :], progress.kept)
        progress.kept, progress.earlier = {}, self._journal.kept(device)
        return Saved(run, begin, entry, lasting=False)

    def is_full(self, progress: Progress) -> bool:
        """Whether so much was kept since the last entry that it should not be held in memory."""
        some = next(iter(progress.kept.values()), None)
        return some is not None and len(progress.kept) * trees.size_in_bytes(some) > IN_MEMORY

    def is_small(self, progress: Progress) -> bool:
        """Whether the state may stay when the run is done."""
        kept = sum(map(trees.size_in_bytes, progress.kept.values()))
        return _size(progress.state) + kept + self._journal.mark.length <= STATE_BYTES

    def has_state_before(self, rounds: int) -> bool:
        """Whether the last checkpoint is that before the last round, and small enough to stay."""
        return self.round == rounds - 1 and self._size <= STATE_BYTES


def hand_over_state(shorter: Path, longer: Path) -> bool:
    """Let the longer run begin at the state that the shorter one had before its last round.

    False where the shorter one has no such state, or a damaged one.
    """
    try:
        state, note = checkpoint.load(shorter / STATE)
        Journal.at(shorter / JOURNAL, Mark(**note["journal"]))
        _refuse_of_another(note, shorter)
        if not state.round:
            return False
        files.write(longer / JOURNAL, (shorter / JOURNAL).read_bytes())
        files.write(longer / CHECKPOINT, checkpoint.content(state, {**note, "run": longer.name}))
        if (shorter / BEST).exists():
            files.write(longer / BEST, (shorter / BEST).read_bytes())
    except (HeadstartError, OSError, KeyError, TypeError, ValueError):
        return False
    for name in (STATE, JOURNAL):  # the longer run will leave a later one
        (shorter / name).unlink(missing_ok=True)
    return True


def _refuse_of_another(note: Mapping[str, Any], folder: Path) -> None:
    """Refuse a state that lies in the folder of a run and is not of it."""
    if note["run"] != folder.name:
        raise ValueError(f"it is of the run {note['run']}")


def _size(state: State) -> int:
    parts = [state.x, state.server, state.shared, state.pseudo_gradient, *state.memories.values()]
    return sum(map(trees.size_in_bytes, parts))
