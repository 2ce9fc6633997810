"""The weights that a run of a study began with, made again from the study's file and its folder."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.tables import STUDY_FILE

SAME = (
    "start", "client", "server", "partition", "devices", "trainable", "local_epochs", "seed",
)  # fmt: skip
"""Columns by which a run is found among those of its study; rates may have been tuned."""


def before_training(folder: Path, row: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the file of the weights that a run began with, and what they are made of.

    Args:
        folder: of the study.
        row: of the run, in the table of runs.

    Raises:
        HeadstartError: the study or its data cannot be read, or what the start was made of is gone.
    """
    from headstart.starts import weights
    from headstart.study.beginnings import begun
    from headstart.study.data import task_of
    from headstart.study.federations import network_of
    from headstart.study.spec import Study

    rates = {name: row[name] for name in ("client_rate", "server_rate")}
    for run in Study.load(folder / STUDY_FILE).runs:
        if all(run.row[name] == row[name] for name in SAME):
            break
    else:
        raise HeadstartError(f"{folder / STUDY_FILE} has no run like {row['run']} any more")
    state, _, _ = _as_kept(begun(replace(run, **rates), folder), folder)
    network, task = network_of(run.model, run.task), task_of(run.task)
    made = weights.Weights.of(state, network, task)
    return weights.content(made, {"begun": str(run)}), str(run.start)


def _as_kept(making: Generator[Any, None, Any], folder: Path) -> Any:
    """What is made of the files that the folder has; nothing is written to it."""
    try:
        made = next(making)
    except StopIteration as end:
        return end.value
    raise HeadstartError(
        f"{folder}/starts has not {made.name} any more; run the study again, which makes it anew"
    )
