"""The record of a run that ended: what it was, what came of it, and on which machine."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch

import headstart
from headstart.machine import processor
from headstart.study.data import task_of, unused_clients
from headstart.study.file.run_spec import SCHEMA, RunSpec
from headstart.study.rounds import Progress
from headstart.tables import RunRow


def record_of(
    run: RunSpec,
    choice: Mapping[str, Any],
    progress: Progress,
    parameters: int,
    seconds: float,
    note: str | None,
) -> dict[str, Any]:
    """Return what `run.json` holds.

    Args:
        run: the run.
        choice: the executor that computed it, with its timings where it was chosen.
        progress: where it ended.
        parameters: the number of its model's parameters.
        seconds: so many it took.
        note: what is to be known of its start.
    """
    state, task = progress.state, task_of(run.task)
    judged = task.validation if run.evaluate_on == "validation" else task.test
    row = RunRow(
        **run.row,
        task=str(run.task),
        model=str(run.model),
        status=progress.status,
        rounds=state.round,
        diverged_at=progress.diverged_at,
        bytes_up=state.bytes_up,
        bytes_down=state.bytes_down,
        parameters=parameters,
        simulated_seconds=state.simulated_seconds,
        seconds=seconds,
        executor=choice["executor"],
        headstart=headstart.__version__,
        machine=processor(),
        ended=datetime.now(UTC).isoformat(timespec="seconds"),
        executor_fallback=progress.fallback,
        data="; ".join(task.notes) or None,
        begun_with=note,
        torch=str(torch.__version__),
        test_predictions=judged.targets.numel(),
        unused_clients=unused_clients(task, run.partition),
    )
    return {
        **asdict(row),
        "executor_timings": choice.get("timings"),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "schema": SCHEMA,
        "spec": run.spec(),
    }
