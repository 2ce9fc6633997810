"""The tables of a study's folder, read and checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from inspect import formatannotation
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from headstart import arrow, tables
from headstart.errors import HeadstartError, reason
from headstart.looks.plans import Plan
from headstart.looks.record import record_in
from headstart.looks.repeats import repeats_of
from headstart.report.runs.client_values import ByClient, apart
from headstart.report.runs.part_names import PartNames, part_names, without_names
from headstart.tables import AGAIN, ROUNDS, TRIALS, BaselineRow, BaselineRunRow
from headstart.wording.epochs import whole_or_part

T = TypeVar("T", BaselineRow, BaselineRunRow)

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]  # rounds, values

TRIAL_COLUMNS = tuple(name for name in TRIALS.names if name != "seconds")
"""Of the trials all that are written but the seconds, which no report needs."""


@dataclass(frozen=True)
class Run:
    """What is read of a row of runs.parquet, of the columns that `RunRow` writes.

    A column without a default must be there; older versions did not write the others.
    """

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
    rounds_to_target: float | None
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
    data: str | None = None  # how the rows were read: which columns are features
    begun_with: str | None = None  # of its start's weights: what became of a head
    test_predictions: int | None = None  # how many predictions accuracy is the share of
    unused_clients: int | None = None  # that the study named, and whose rows others have

    @property
    def bytes_sent(self) -> int:
        """The bytes of the whole run, up and down."""
        return (self.bytes_up or 0) + (self.bytes_down or 0)

    @property
    def finished(self) -> bool:
        """Whether it ran to its end."""
        return self.status == "finished"


def _columns(kind: str, required: bool) -> tuple[str, ...]:
    """The columns of runs whose type begins so, of those that must be there or of all."""
    found = []
    for each in fields(Run):
        is_of_kind = formatannotation(each.type).startswith(kind)
        if is_of_kind and (each.default is MISSING or not required):
            found.append(each.name)
    return tuple(found)


RUN_COLUMNS = _columns("", required=False)
TEXTS = tuple(name for name in _columns("str", required=False) if name != "run")
"""What a run's record says in words, some of them a user's: names of columns, of tensors, of parts.
"""


@dataclass(frozen=True)
class Records:
    """A study's folder: its settings, its runs, and each run's curves by metric."""

    settings: Mapping[str, Any]
    runs: tuple[Run, ...]
    curves: Mapping[tuple[str, str], Curve]
    source: Path
    trials: tuple[Mapping[str, Any], ...] = ()  # of the tuning, where there was one
    planned: int | None = None  # runs of the whole grid; None: the tables do not say
    text: str = ""  # the study file
    failed: Mapping[str, str] = field(default_factory=dict)  # why runs did not end, by their keys
    baselines: tuple[BaselineRow, ...] = ()  # what needs no training
    baseline_runs: tuple[BaselineRunRow, ...] = ()  # other training that runs are held against
    clients: Mapping[str, ByClient] = field(default_factory=dict)  # their last accuracies, by run
    plan: Plan | None = None  # of the looks, with those taken; None: as the study file plans
    names: PartNames = field(default_factory=PartNames)  # that the study file gives its parts
    written_starts: Mapping[str, str] = field(
        default_factory=dict
    )  # in full, by what they are called
    earlier_margins: tuple[float, ...] = ()  # with which looks were taken before it was changed

    @property
    def repeats(self) -> int:
        """How often the study was tuned; 0 where it was not."""
        return repeats_of(self.settings)

    def distinct(self, column: str) -> list[Any]:
        """The values of a column of the runs that are there, each once, in order."""
        return sorted({getattr(run, column) for run in self.runs} - {None, ""})

    @cached_property
    def metrics(self) -> Mapping[str, Sequence[str]]:
        """The metrics that each run has, in their order."""
        found: dict[str, list[str]] = {}
        for run, metric in self.curves:
            found.setdefault(run, []).append(metric)
        return found

    @property
    def diverged(self) -> int:
        """How many runs have a row and did not finish."""
        return sum(not run.finished for run in self.runs)


def any_measured(runs: Iterable[Run]) -> bool:
    """Whether accuracy was measured: a finished run has one, or none finished."""
    ended = [run.test_accuracy for run in runs if run.finished]
    return not ended or ended.count(None) < len(ended)


def read(directory: Path) -> Records:
    """Read `results/*.parquet`, and from them the study file, as it was when they were written.

    Raises:
        HeadstartError: one is missing, damaged, or lacks a column; or no run has ended.
    """
    return records_of(tables.read_results(directory), directory)


def records_of(found: tables.StudyTables, directory: Path) -> Records:
    """What the tables say that were read from `directory`.

    Raises:
        HeadstartError: one lacks a column, or no run has ended.
    """
    where = directory / tables.RESULTS
    path = where / tables.RUNS_FILE
    settings = _settings(found.study, path)
    runs = _runs(found.runs, path)
    if not runs and found.failed:
        why = next(iter(found.failed.values()))
        raise HeadstartError(
            f"{path}: all {len(found.failed)} runs that began have failed ({why}); mend that and "
            "run again"
        )
    if not runs:
        raise HeadstartError(
            f"{path}: no run has ended yet; `headstart run` writes the tables when it begins and "
            "when it ends, also by Ctrl-C"
        )
    rounds, clients = _holding_curves(found.rounds, where / tables.ROUNDS_FILE)
    curves = _curves(rounds, where / tables.ROUNDS_FILE)
    trials: tuple[Mapping[str, Any], ...] = ()
    if found.trials is not None:
        trials = _trials(found.trials, where / tables.TRIALS_FILE)
    baselines = _rows_of(BaselineRow, found.baselines, where / tables.BASELINES_FILE)
    others = _rows_of(BaselineRunRow, found.baseline_runs, where / tables.BASELINE_RUNS_FILE)
    plan: Plan | None = None
    margins: tuple[float, ...] = ()
    if found.looks is not None:
        record = record_in(found.looks, where / tables.LOOKS_FILE)
        plan, margins = record.followed, record.margins
    return Records(
        without_names(settings),
        runs,
        curves,
        directory,
        trials,
        found.planned,
        found.study,
        found.failed,
        baselines,
        others,
        clients,
        plan,
        part_names(settings),
        earlier_margins=margins,
    )


def _settings(text: str, path: Path) -> Mapping[str, Any]:
    try:
        settings = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        why = reason(problem)
        raise HeadstartError(f"{path}: its study cannot be read ({why}); {AGAIN}") from None
    if not isinstance(settings, dict):
        raise HeadstartError(
            f"{path}: expected a study of keys and values, got {type(settings).__name__}; {AGAIN}"
        )
    return settings


def _holding(needed: tuple[str, ...], table: pa.Table, path: Path) -> pa.Table:
    """The table, if it has the columns that are needed."""
    missing = sorted(set(needed) - set(table.column_names), key=needed.index)
    if missing:
        came = ", ".join(table.column_names)
        raise HeadstartError(f"{path}: expected the column {missing[0]!r}, got {came}; {AGAIN}")
    return table


def _runs(table: pa.Table, path: Path) -> tuple[Run, ...]:
    whole, numbers = _columns("int", required=True), _columns("float", required=True)
    texts = _columns("str", required=True)
    _holding(texts + whole + numbers, table, path)
    types = dict.fromkeys(texts, pa.string()) | dict.fromkeys(whole, pa.int64())
    types |= dict.fromkeys(numbers, pa.float64())
    columns = {}
    for name in RUN_COLUMNS:
        if name in table.column_names:
            columns[name] = _cast(table[name], name, types.get(name), path)
    for name in numbers:
        columns[name] = [v if v is not None and np.isfinite(v) else None for v in columns[name]]
    for name in (*texts, *whole, "local_epochs"):
        if None in columns[name]:
            raise HeadstartError(f"{path}: column {name!r}: expected no empty value; {AGAIN}")
    columns["local_epochs"] = list(map(whole_or_part, columns["local_epochs"]))
    rows = zip(*columns.values(), strict=True)
    return tuple(Run(**dict(zip(columns, row, strict=True))) for row in rows)


def _cast(column: pa.ChunkedArray, name: str, kind: pa.DataType | None, path: Path) -> list[Any]:
    try:
        values: list[Any] = (column if kind is None else column.cast(kind)).to_pylist()
    except pa.ArrowException:
        came = f"{kind}, got {column.type}"
        raise HeadstartError(f"{path}: column {name!r}: expected {came}; {AGAIN}") from None
    return values


def _trials(table: pa.Table, path: Path) -> tuple[Mapping[str, Any], ...]:
    rows = _holding(TRIAL_COLUMNS, table, path).to_pylist()
    return tuple({**row, "local_epochs": whole_or_part(row["local_epochs"])} for row in rows)


def _rows_of(kind: type[T], table: pa.Table | None, path: Path) -> tuple[T, ...]:
    """The rows of a table that the study may lack."""
    if table is None:
        return ()
    names = tuple(tables.schema_of(kind).names)
    rows = _holding(names, table, path).select(list(names)).to_pylist()
    return tuple(kind(**row) for row in rows)


def _holding_curves(table: pa.Table, path: Path) -> tuple[pa.Table, dict[str, ByClient]]:
    """The rounds without what was measured of single clients, and that, by run."""
    _holding(tuple(ROUNDS.names), table, path)
    try:
        return apart(table)
    except (pa.ArrowException, ValueError) as problem:
        why = reason(problem)
        raise HeadstartError(f"{path}: unexpected column types ({why}); {AGAIN}") from None


def _curves(table: pa.Table, path: Path) -> dict[tuple[str, str], Curve]:
    """Each run's rounds and values of each metric, in the order of the rounds, without what is not
    finite.
    """
    try:
        run, runs = arrow.coded(table["run"])
        metric, metrics = arrow.coded(table["metric"])
        rounds = arrow.numbers(table["round"].cast(pa.int64()))
        values = arrow.numbers(table["value"].cast(pa.float64()))
    except (pa.ArrowException, ValueError) as problem:
        why = reason(problem)
        raise HeadstartError(f"{path}: unexpected column types ({why}); {AGAIN}") from None
    order = np.lexsort((rounds, metric, run))
    order = order[np.isfinite(values[order])]
    group = (run * len(metrics) + metric)[order]
    begins = np.flatnonzero(np.diff(group, prepend=-1))
    found = {}
    for begin, end in pairwise([*begins, len(group)]):
        rows = order[begin:end]
        which, what = divmod(int(group[begin]), len(metrics))
        found[runs[which], metrics[what]] = rounds[rows], values[rows]
    return found
