"""The two tables of a study folder, read and checked; `slices` picks the runs that a question needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from headstart import tables
from headstart.epochs import whole_or_part
from headstart.errors import HeadstartError
from headstart.tables import AGAIN

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]  # rounds, values

RUN_COLUMNS = {
    "text": ("run", "start", "client", "server", "partition", "devices", "status"),
    "whole": ("seed",),
    "number": ("local_epochs", "client_rate", "server_rate", "test_accuracy", "test_loss", "rounds_to_target"),
}
OPTIONAL = (
    "rounds", "diverged_at", "bytes_up", "bytes_down", "simulated_seconds", "seconds", "executor", "parameters",
    "trainable", "headstart", "machine", "ended", "executor_fallback", "data", "begun_with", "torch",
)  # fmt: skip
TRIAL_COLUMNS = (
    "search", "start", "client", "server", "partition", "devices", "local_epochs", "trial", "status", "rounds",
    "seeds", "client_rate", "server_rate", "parameters", "accuracy", "loss", "best", "edge",
)  # fmt: skip
ROUND_COLUMNS = ("run", "round", "metric", "value")


@dataclass(frozen=True)
class Run:
    """A row of runs.parquet."""

    run: str
    start: str
    client: str
    server: str
    partition: str
    devices: str
    local_epochs: float
    client_rate: float
    server_rate: float
    seed: int
    status: str
    test_accuracy: float | None
    test_loss: float | None
    rounds_to_target: int | None
    rounds: int | None = None
    diverged_at: int | None = None
    bytes_up: int | None = None
    bytes_down: int | None = None
    simulated_seconds: float | None = None
    seconds: float | None = None
    executor: str | None = None
    parameters: int | None = None
    trainable: str = "all"
    headstart: str | None = None
    machine: str | None = None
    ended: str | None = None  # ISO 8601, UTC
    torch: str | None = None
    executor_fallback: str | None = None  # why the loop computed it instead
    data: str | None = None  # what is to be known of how the rows were read: which columns are features
    begun_with: str | None = None  # what is to be known of its start's weights: what became of a head

    @property
    def finished(self) -> bool:
        return self.status == "finished"


@dataclass(frozen=True)
class Results:
    """A study folder: its settings, its runs, and each run's curves by metric."""

    settings: Mapping[str, Any]
    runs: tuple[Run, ...]
    curves: Mapping[tuple[str, str], Curve]
    source: Path
    trials: tuple[Mapping[str, Any], ...] = ()  # of the tuning, where there was one
    planned: int | None = None  # runs of the whole grid; None: the tables do not say
    text: str = ""  # the study file
    failed: Mapping[str, str] = field(default_factory=dict)  # why runs did not end, by their keys


def read(directory: Path) -> Results:
    """Read `results/*.parquet`, and from them the study file, as it was when they were written.

    Raises HeadstartError where one is missing, damaged, or lacks a column.
    """
    found = tables.read_results(directory)
    where = directory / "results"
    settings = _settings(found.study, where / "runs.parquet")
    runs = _runs(found.runs, where / "runs.parquet")
    if not runs and found.failed:
        raise HeadstartError(
            f"{where / 'runs.parquet'}: all {len(found.failed)} runs that began have failed "
            f"({next(iter(found.failed.values()))}); mend that and run again"
        )
    if not runs:
        raise HeadstartError(
            f"{where / 'runs.parquet'}: no run has ended yet; `headstart run` writes the tables when it "
            "begins and when it ends, also by Ctrl-C"
        )
    curves = _curves(found.rounds, where / "rounds.parquet")
    trials: tuple[Mapping[str, Any], ...] = ()
    if found.trials is not None:
        trials = _trials(found.trials, where / "trials.parquet")
    return Results(settings, runs, curves, directory, trials, found.planned, found.study, found.failed)


def _settings(text: str, path: Path) -> Mapping[str, Any]:
    try:
        settings = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        reason = str(problem).splitlines()[0]
        raise HeadstartError(f"{path}: its study cannot be read ({reason}); {AGAIN}") from None
    if not isinstance(settings, dict):
        raise HeadstartError(f"{path}: expected a study of keys and values, got {type(settings).__name__}; {AGAIN}")
    return settings


def _holding(needed: tuple[str, ...], table: pa.Table, path: Path) -> pa.Table:
    """The table, if it has the columns that are needed."""
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        came = ", ".join(table.column_names)
        raise HeadstartError(f"{path}: expected the column {missing[0]!r}, got {came}; {AGAIN}")
    return table


def _runs(table: pa.Table, path: Path) -> tuple[Run, ...]:
    needed = tuple(name for names in RUN_COLUMNS.values() for name in names)
    _holding(needed, table, path)
    types = dict.fromkeys(RUN_COLUMNS["text"], pa.string()) | dict.fromkeys(RUN_COLUMNS["whole"], pa.int64())
    types |= dict.fromkeys(RUN_COLUMNS["number"], pa.float64())
    columns = {}
    for name in [*needed, *(n for n in OPTIONAL if n in table.column_names)]:
        try:
            columns[name] = (table[name].cast(types[name]) if name in types else table[name]).to_pylist()
        except pa.ArrowException:
            kind = f"{types[name]}, got {table[name].type}"
            raise HeadstartError(f"{path}: column {name!r}: expected {kind}; {AGAIN}") from None
    for name in RUN_COLUMNS["number"]:
        columns[name] = [v if v is not None and np.isfinite(v) else None for v in columns[name]]
    for name in (*RUN_COLUMNS["text"], *RUN_COLUMNS["whole"], "local_epochs"):
        if None in columns[name]:
            raise HeadstartError(f"{path}: column {name!r}: expected no empty value; {AGAIN}")
    columns["local_epochs"] = list(map(whole_or_part, columns["local_epochs"]))
    return tuple(Run(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))


def _trials(table: pa.Table, path: Path) -> tuple[Mapping[str, Any], ...]:
    rows = _holding(TRIAL_COLUMNS, table, path).to_pylist()
    return tuple({**row, "local_epochs": whole_or_part(row["local_epochs"])} for row in rows)


def _curves(table: pa.Table, path: Path) -> dict[tuple[str, str], Curve]:
    _holding(ROUND_COLUMNS, table, path)
    try:
        run, metric = (table[c].cast(pa.string()).combine_chunks().dictionary_encode() for c in ("run", "metric"))
        rounds = table["round"].cast(pa.int64()).to_numpy()
        values = table["value"].cast(pa.float64()).to_numpy()
        codes = [np.asarray(column.indices, dtype=np.int64) for column in (run, metric)]
    except (pa.ArrowException, ValueError) as problem:
        raise HeadstartError(f"{path}: unexpected column types ({str(problem).splitlines()[0]}); {AGAIN}") from None
    if not len(rounds):
        return {}
    order = np.lexsort((rounds, codes[1], codes[0]))
    order = order[np.isfinite(values[order])]
    group = (codes[0] * len(metric.dictionary) + codes[1])[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.array([], dtype=np.int64)
    names, metrics = run.dictionary.to_pylist(), metric.dictionary.to_pylist()
    return {
        (names[group[a] // len(metrics)], metrics[group[a] % len(metrics)]): (rounds[order[a:b]], values[order[a:b]])
        for a, b in zip(starts, [*starts[1:], len(group)], strict=True)
    }
