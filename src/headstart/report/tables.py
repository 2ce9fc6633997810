"""The two tables of a study folder, read and checked; `slices` picks the runs that a question needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from headstart.errors import HeadstartError

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]  # rounds, values

RUN_COLUMNS = {
    "text": ("run", "start", "client", "server", "partition", "devices", "status"),
    "whole": ("local_epochs", "seed"),
    "number": ("client_rate", "server_rate", "test_accuracy", "test_loss", "rounds_to_target"),
}
OPTIONAL = (
    "rounds", "diverged_at", "bytes_up", "bytes_down", "simulated_seconds", "seconds", "executor", "parameters",
    "trainable", "headstart", "machine", "ended",
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
    local_epochs: int
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


def read(directory: Path) -> Results:
    """Read `study.yaml` and `results/*.parquet`.

    Raises HeadstartError where one is missing, damaged, or lacks a column.
    """
    settings_file = directory / "study.yaml"
    try:
        settings = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HeadstartError(f"{settings_file}: not found; expected the folder that `headstart run` wrote") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise HeadstartError(f"{settings_file}: cannot be read ({reason}); {_AGAIN}") from None
    if not isinstance(settings, dict):
        raise HeadstartError(f"{settings_file}: expected keys and values, got {type(settings).__name__}; {_AGAIN}")
    results = directory / "results"
    runs, planned = _runs(results / "runs.parquet")
    if not runs:
        raise HeadstartError(
            f"{results / 'runs.parquet'}: no run has ended yet; `headstart run` writes the tables when it "
            "begins and when it ends, also by Ctrl-C"
        )
    curves, trials = _curves(results / "rounds.parquet"), _trials(results / "trials.parquet")
    return Results(settings, runs, curves, directory, trials, planned)


_AGAIN = "run `headstart run` on this folder again to rebuild it from its runs"


def _open(path: Path, needed: tuple[str, ...]) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise HeadstartError(f"{path}: not found; {_AGAIN}") from None
    except (pa.ArrowException, OSError) as problem:
        reason = (str(problem).splitlines() or ["unreadable"])[0]
        raise HeadstartError(f"{path}: not a readable Parquet file ({reason}); {_AGAIN}") from None
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise HeadstartError(
            f"{path}: expected the column {missing[0]!r}, got {', '.join(table.column_names)}; {_AGAIN}"
        )
    return table


def _trials(path: Path) -> tuple[Mapping[str, Any], ...]:
    return tuple(_open(path, TRIAL_COLUMNS).to_pylist()) if path.exists() else ()


def _runs(path: Path) -> tuple[tuple[Run, ...], int | None]:
    """The runs, and how many the study has when it is whole, where the file says so."""
    needed = tuple(name for names in RUN_COLUMNS.values() for name in names)
    table = _open(path, needed)
    types = dict.fromkeys(RUN_COLUMNS["text"], pa.string()) | dict.fromkeys(RUN_COLUMNS["whole"], pa.int64())
    types |= dict.fromkeys(RUN_COLUMNS["number"], pa.float64())
    columns = {}
    for name in [*needed, *(n for n in OPTIONAL if n in table.column_names)]:
        try:
            columns[name] = (table[name].cast(types[name]) if name in types else table[name]).to_pylist()
        except pa.ArrowException:
            kind = f"{types[name]}, got {table[name].type}"
            raise HeadstartError(f"{path}: column {name!r}: expected {kind}; {_AGAIN}") from None
    for name in (*RUN_COLUMNS["text"], *RUN_COLUMNS["whole"]):
        if None in columns[name]:
            raise HeadstartError(f"{path}: column {name!r}: expected no empty value; {_AGAIN}")
    for name in RUN_COLUMNS["number"]:
        columns[name] = [v if v is not None and np.isfinite(v) else None for v in columns[name]]
    runs = tuple(Run(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))
    planned = (table.schema.metadata or {}).get(b"planned", b"").decode(errors="replace")
    return runs, int(planned) if planned.isdecimal() else None


def _curves(path: Path) -> dict[tuple[str, str], Curve]:
    table = _open(path, ROUND_COLUMNS)
    try:
        run, metric = (table[c].cast(pa.string()).combine_chunks().dictionary_encode() for c in ("run", "metric"))
        rounds = table["round"].cast(pa.int64()).to_numpy()
        values = table["value"].cast(pa.float64()).to_numpy()
        codes = [np.asarray(column.indices, dtype=np.int64) for column in (run, metric)]
    except (pa.ArrowException, ValueError) as problem:
        raise HeadstartError(f"{path}: unexpected column types ({str(problem).splitlines()[0]}); {_AGAIN}") from None
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
