"""What a run under way says: a stream of events, which the process that holds the study's folder
writes down.

What computes a run writes nothing, wherever it is: it yields an event and goes on when that was
written. Events hold the contents of files as bytes, so that they pass through a pipe as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.engine.measurements import Measurements, Row
from headstart.study.file.run_spec import RunSpec


@dataclass(frozen=True)
class Made:
    """Weights that runs begin from were made: a file of the folder's `starts/`, by its name."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Measured:
    """Rows were measured: those since the last time; of a run that goes on, first those from
    before.
    """

    run: RunSpec
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Saved:
    """A run can go on from here, once this is written.

    entry: what is new in its journal, which is `begin` bytes long before. checkpoint: the state;
    where it is empty, the entry only makes room in memory. best: the weights of its best round, if
    they are new.
    """

    run: RunSpec
    begin: int
    entry: bytes
    checkpoint: bytes = b""
    best: bytes = b""
    lasting: bool = True


@dataclass(frozen=True)
class Ended:
    """A run ended: its record, all that it measured, and its final weights.

    best: the weights of its best round, if they are new; best_round: that round, where they are
    wanted. state_stays: whether its last checkpoint is the state before its last round, from which
    a run of more rounds goes on.
    """

    run: RunSpec
    record: Mapping[str, Any]
    rows: Measurements
    weights: bytes
    best: bytes = b""
    best_round: int | None = None
    state_stays: bool = False

    @property
    def status(self) -> str:
        """Whether it finished or diverged."""
        return str(self.record["status"])


@dataclass(frozen=True)
class Failed:
    """A run failed, as something raised in a part of the user's own, or as memory was short."""

    run: RunSpec
    why: str

    @property
    def status(self) -> str:
        """The failure in words."""
        return f"failed: {self.why}"


@dataclass(frozen=True)
class Tried:
    """A trial of a search ended: the search's key, the trial's number and its record."""

    search: str
    number: int
    record: Mapping[str, Any]


Event = Made | Measured | Saved | Ended | Failed | Tried
