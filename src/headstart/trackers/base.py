"""A tracker: is told of what a run measures while it is under way, and of its record when it has
ended.

    class Printed:
        def measured(self, run, rows): ...  # rows: (round, metric, value); some may come twice
        def ended(self, run, record): ...   # run: a RunSpec; record: what run.json holds
        def close(self): ...

Any object with these methods is one. One that fails is left alone from then on, and the study goes
on.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from headstart.engine.measurements import Row
    from headstart.study.file.run_spec import RunSpec


@runtime_checkable
class Tracker(Protocol):
    """Is told of the runs of one study, by the process that has it."""

    def measured(self, run: "RunSpec", rows: "Sequence[Row]") -> None:
        """Is told what was measured since the last time; of a run that is gone on with, also what
        was before.
        """

    def ended(self, run: "RunSpec", record: Mapping[str, Any]) -> None:
        """Is told of a run that has ended, and what came of it."""

    def close(self) -> None:
        """Is told that the study has ended, or was interrupted."""


def label(run: "RunSpec") -> str:
    """A short name of a run, with the beginning of its key, which tells it from all others."""
    parts = (run.start, run.client, run.server, run.partition, run.devices)
    return f"{', '.join(part.label for part in parts)}, seed {run.seed} ({run.key[:6]})"


def fields(run: "RunSpec") -> dict[str, str | int | float]:
    """What tells the runs of a study apart, as a tracker's parameters."""
    parts = ("task", "model", "start", "client", "server", "partition", "devices")
    numbers = (
        "trainable",
        "local_epochs",
        "client_rate",
        "server_rate",
        "seed",
        "cohort",
        "rounds",
    )
    named: dict[str, str | int | float] = {name: str(getattr(run, name)) for name in parts}
    return named | {name: getattr(run, name) for name in numbers} | {"run": run.key}
