"""A tracker: is told of what a run measures while it is under way, and of its record when it has
ended.

    class Printed:
        def measured(self, run, rows): ...   # run: a RunSpec; rows: (round, metric, value), some
        may come twice def ended(self, run, record): ...    # record: what run.json holds def
        close(self): ...

Any object with these methods is one. One that fails is left alone from then on, and the study goes
on.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headstart.errors import HeadstartError, nearest

if TYPE_CHECKING:
    from headstart.engine.journal import Row
    from headstart.study.file.run_spec import RunSpec

FOLDER = "trackers"
"""In a study's folder: what trackers write that write to files."""


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
    listed = list(asked) if isinstance(asked, list | tuple) else [] if asked is None else [asked]
    return [_begun(one, out, settings) for one in listed]


def _begun(asked: Any, out: Path, settings: Mapping[str, Any]) -> tuple[str, Tracker]:
    if not isinstance(asked, str):
        if all(callable(getattr(asked, name, None)) for name in ("measured", "ended", "close")):
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
        raise HeadstartError(f"track: {asked} is not installed ({error}); pip install 'headstart[trackers]'") from None
    except Exception as error:  # whatever somebody else's tracker may raise
        raise HeadstartError(
            f"track: {asked} cannot begin: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from None


def label(run: "RunSpec") -> str:
    """A short name of a run, with the beginning of its key, which tells it from all others."""
    parts = (run.start, run.client, run.server, run.partition, run.devices)
    return f"{', '.join(str(part) for part in parts)}, seed {run.seed} ({run.key[:6]})"


def fields(run: "RunSpec") -> dict[str, str | int | float]:
    """What tells the runs of a study apart, as a tracker's parameters."""
    parts = ("task", "model", "start", "client", "server", "partition", "devices")
    numbers = ("trainable", "local_epochs", "client_rate", "server_rate", "seed", "cohort", "rounds")
    named: dict[str, str | int | float] = {name: str(getattr(run, name)) for name in parts}
    return named | {name: getattr(run, name) for name in numbers} | {"run": run.key}
