"""The record of a run that ended: what it was, what came of it, and on which machine."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import headstart
from headstart.study.data import task_of
from headstart.study.file.run_spec import PARTS, SCHEMA, RunSpec
from headstart.study.run import Progress


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
    names = (*PARTS, "trainable")
    numbers = ("local_epochs", "client_rate", "server_rate", "seed")
    state = progress.state
    return {
        "run": run.key,
        **{name: str(getattr(run, name)) for name in names},
        **{name: getattr(run, name) for name in numbers},
        "executor": choice["executor"],
        "executor_timings": choice.get("timings"),
        "executor_fallback": progress.fallback,
        "status": progress.status,
        "rounds": state.round,
        "diverged_at": progress.diverged_at,
        "bytes_up": state.bytes_up,
        "bytes_down": state.bytes_down,
        "parameters": parameters,
        "simulated_seconds": state.simulated_seconds,
        "seconds": seconds,
        "headstart": headstart.__version__,
        "machine": machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": "; ".join(task_of(run.task).notes) or None,
        "begun_with": note,
        "schema": SCHEMA,
        "spec": run.spec(),
    }


def machine() -> str:
    """The processor and its number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(named, platform.processor() or platform.machine())}, {os.cpu_count()} cores"
