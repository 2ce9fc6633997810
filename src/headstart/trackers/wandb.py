"""Weights & Biases: a run for every run, in the project of the study's name, under the run's key.

WANDB_MODE=offline writes to trackers/ of the study's folder alone; WANDB_PROJECT names another
project.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wandb

from headstart.trackers.base import fields, label

if TYPE_CHECKING:
    from headstart.engine.measurements import Row
    from headstart.study.file.run_spec import RunSpec


class WandB:
    """Metrics over `round`; parameters as the config; the record as the summary."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder, self._study = folder, str(settings.get("name") or "study")
        self._runs: dict[str, Any] = {}

    def measured(self, run: "RunSpec", rows: "Sequence[Row]") -> None:
        """Log the rows, those of a round together."""
        by_round: dict[int, dict[str, float]] = {}
        for round_, metric, value in rows:
            by_round.setdefault(round_, {})[metric] = value
        for round_, metrics in by_round.items():
            self._run(run).log({"round": round_, **metrics})

    def ended(self, run: "RunSpec", record: Mapping[str, Any]) -> None:
        """Add the record to the summary, and end the run there."""
        theirs = self._run(run)
        theirs.summary.update({name: value for name, value in record.items() if name != "spec"})
        theirs.finish(exit_code=0 if record.get("status") == "finished" else 1)
        del self._runs[run.key]

    def close(self) -> None:
        """End the runs that were interrupted, to go on another time."""
        for theirs in self._runs.values():
            theirs.finish(exit_code=255)

    def _run(self, run: "RunSpec") -> Any:
        if run.key not in self._runs:
            self._folder.mkdir(parents=True, exist_ok=True)
            theirs = wandb.init(
                project=os.environ.get("WANDB_PROJECT") or self._study,
                id=run.key,
                resume="allow",
                reinit="create_new",
                name=label(run),
                config=fields(run),
                dir=str(self._folder),
            )
            theirs.define_metric("*", step_metric="round")
            self._runs[run.key] = theirs
        return self._runs[run.key]
