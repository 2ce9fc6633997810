"""MLflow: a run for every run, in the experiment of the study's name.

They go to where MLFLOW_TRACKING_URI says; without it, to trackers/mlflow.db in the study's folder.
"""

import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from headstart.trackers.base import fields, label

if TYPE_CHECKING:
    from headstart.engine.measurements import Row
    from headstart.study.file.run_spec import RunSpec

TAG = "headstart.run"
MOST_AT_ONCE = 1000
"""Metrics in one request: MLflow's own limit."""


class MLflow:
    """Metrics with the round as step, parameters, and how the run ended. A run that goes on, goes
    on there too.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder, self._study = folder, str(settings.get("name") or "study")
        self._runs: dict[str, str] = {}

    @cached_property
    def _client(self) -> MlflowClient:
        if uri := os.environ.get("MLFLOW_TRACKING_URI"):
            return MlflowClient(uri)
        self._folder.mkdir(parents=True, exist_ok=True)
        return MlflowClient(f"sqlite:///{self._folder.resolve() / 'mlflow.db'}")

    @cached_property
    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._study)
        return str(found.experiment_id if found else self._client.create_experiment(self._study))

    def measured(self, run: "RunSpec", rows: "Sequence[Row]") -> None:
        """Log the rows as metrics."""
        now = int(time.time() * 1000)
        metrics = [Metric(metric, value, now, round_) for round_, metric, value in rows]
        for first in range(0, len(metrics), MOST_AT_ONCE):
            self._client.log_batch(self._run(run), metrics[first : first + MOST_AT_ONCE])

    def ended(self, run: "RunSpec", record: Mapping[str, Any]) -> None:
        """Say how the run ended, and what it cost."""
        for name in (
            "status",
            "diverged_at",
            "bytes_up",
            "bytes_down",
            "simulated_seconds",
            "seconds",
        ):
            self._client.set_tag(self._run(run), f"headstart.{name}", str(record.get(name)))
        status = "FINISHED" if record.get("status") == "finished" else "FAILED"
        self._client.set_terminated(self._run(run), status)

    def close(self) -> None:
        """Nothing is held back."""

    def _run(self, run: "RunSpec") -> str:
        if run.key not in self._runs:
            there = self._client.search_runs([self._experiment], f"tags.`{TAG}` = '{run.key}'")
            if there:
                self._runs[run.key] = there[0].info.run_id
            else:
                made = self._client.create_run(
                    self._experiment, tags={TAG: run.key}, run_name=label(run)
                )
                self._runs[run.key] = made.info.run_id
                parameters = [Param(name, str(value)) for name, value in fields(run).items()]
                self._client.log_batch(made.info.run_id, params=parameters)
        return self._runs[run.key]
