"""Parquet files that are sealed, and the tables of a study's results with their columns.

DIR/results/rounds.parquet  the rounds of all runs
DIR/results/trials.parquet  all trials, where there was a tuning
DIR/results/baselines.parquet  what needs no training: the constant answer, chance
DIR/results/baseline_runs.parquet  other training that runs are held against, where it was asked for
DIR/results/looks.parquet   what was decided at each look; in its metadata which looks are planned
DIR/results/runs.parquet    a row a run; in its metadata the seals of the others, the study file,
                            and how many runs there will be; written last, so that it says which of
                            the others are of its time

It knows nothing of torch.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from headstart import files
from headstart.errors import HeadstartError

IN_THIS_THREAD: Final = {"pre_buffer": False}
"""For `pq.ParquetFile` of a source that is an object of Python, with `read(use_threads=False)`.

pyarrow's threads hold the bytes of such a source. One that lets go of them while the interpreter
ends aborts the process: "terminate called without an active exception".
"""

STUDY_FILE = "study.yaml"
"""The resolved study, in its folder and beside what is published of it."""

RESULTS = "results"
"""The folder of the tables, in that of the study."""

RUNS_FILE, ROUNDS_FILE, TRIALS_FILE = "runs.parquet", "rounds.parquet", "trials.parquet"
BASELINES_FILE, BASELINE_RUNS_FILE = "baselines.parquet", "baseline_runs.parquet"
LOOKS_FILE = "looks.parquet"

BESIDE_RUNS = {
    "looks": LOOKS_FILE,  # first, so that no results are there without it
    "rounds": ROUNDS_FILE,
    "trials": TRIALS_FILE,
    "baselines": BASELINES_FILE,
    "baseline_runs": BASELINE_RUNS_FILE,
}
"""The files of the other tables, which lie beside that of the runs, as they are written."""

AGAIN = "run `headstart run` on this folder again to rebuild it from its runs"


ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run that ended, as a row of `runs.parquet`.

    `headstart.report.runs.records` reads some of these columns, also from older versions.

    What is None there is of its rounds, or was not asked for. test_accuracy, test_loss and
    rounds_to_target are counted from its rounds whenever the tables are gathered
    (`headstart.study.folder.outcome`); with `evaluate_on: validation` they are of the validation
    split, under the same names, and so is test_predictions: how many predictions accuracy is the
    share of. unused_clients: how many clients the study named that have no rows of their own here.
    """

    run: str
    task: str
    model: str
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
    rounds: int
    diverged_at: int | None
    test_accuracy: float | None = None
    test_loss: float | None = None
    rounds_to_target: int | None = None
    bytes_up: int
    bytes_down: int
    parameters: int
    simulated_seconds: float
    seconds: float
    executor: str
    trainable: str
    headstart: str
    machine: str
    ended: str
    executor_fallback: str | None
    data: str | None
    begun_with: str | None
    torch: str
    test_predictions: int
    unused_clients: int | None


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """A trial of a search, as a row of `trials.parquet`.

    `accuracy` is that of its last measured rounds; `tied`: at most a row of the validation split
    behind the best.
    """

    search: str
    repeat: int
    start: str
    client: str
    server: str
    partition: str
    devices: str
    local_epochs: float
    trial: int
    status: str
    rounds: int
    seeds: int
    client_rate: float
    server_rate: float
    parameters: str
    accuracy: float | None
    loss: float | None
    seconds: float
    best: bool
    tied: bool
    edge: str


OF_CLIENT, ON_OWN_ROWS = "client_accuracy/", "clients_on_own_rows"
"""Metrics of the probe `clients`: the first before the number of a client."""


@dataclass(frozen=True, kw_only=True)
class BaselineRow:
    """An answer that needs no training, as a row of `baselines.parquet`.

    baseline: `constant`, the same answer to every row, or `chance`. rule: how the answer is found
    (`majority`, `unigram` or `mean` of the training rows, or `uniform`), and answer: what it is.
    accuracy, loss: means over the `predictions` that runs are measured on.
    """

    task: str
    baseline: str
    rule: str
    answer: str
    accuracy: float | None
    loss: float | None
    predictions: int


@dataclass(frozen=True, kw_only=True)
class BaselineRunRow:
    """A run that another one is held against, as a row of `baseline_runs.parquet`.

    held_against: the run that is. baseline: how this one trained, `centralised` or `local`, and
    alone: the number of the client that did, where it was one. The outcome is that of `RunRow`.
    """

    run: str
    held_against: str
    baseline: str
    alone: int | None
    status: str
    rounds: int
    test_accuracy: float | None = None
    test_loss: float | None = None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class LookRow:
    """What one look decides between two starts, or two pairs from one start, as a row of
    `looks.parquet`.

    Attributes:
        look: its number, from 1 on.
        seeds: how many seeds were looked at.
        question: `where` between starts, each with its best pair; `which` between pairs.
        start: from which start, where pairs are compared.
        one, other: the starts, or the pairs as `client + server`.
        estimate, low, high: by how much the one is more accurate, as a share, and the interval;
            where one of them is run no further, as they were when both still were.
        spent: the share of studies in which a look up to this one may err.
        level: at which the look tests, before its comparisons share it.
        decision: one of `DECISIONS`.
    """

    look: int
    seeds: int
    question: str
    start: str | None
    one: str
    other: str
    estimate: float
    low: float
    high: float
    spent: float
    level: float
    decision: str


DECISIONS = ("ahead", "behind", "level", "no worse", "no better", "open")
"""What a look decides of one and the other: the one is ahead, or behind; the two are level, within
the margin; the one is worse, or better, by no more than the margin; nothing yet.
"""


def schema_of(row: type[Any]) -> pa.Schema:
    """Return the schema of a table whose rows are declared by a class.

    >>> schema_of(TrialRow).field("loss").type
    DataType(double)
    """
    types = get_type_hints(row)
    columns = []
    for each in fields(row):
        kind = types[each.name]
        value, *_ = get_args(kind) or (kind,)
        columns.append((each.name, ARROW[value]))
    return pa.schema(columns)


RUNS, TRIALS, LOOKS = map(schema_of, (RunRow, TrialRow, LookRow))
BASELINES, BASELINE_RUNS = schema_of(BaselineRow), schema_of(BaselineRunRow)
ROUNDS = pa.schema(
    [("run", pa.string()), ("round", pa.int64()), ("metric", pa.string()), ("value", pa.float64())]
)


@dataclass(frozen=True)
class StudyTables:
    """The tables of a study. `study`: its file as text; `planned`: the runs of the whole grid,
    where it is known; `about`: what else is told of them; `failed`: why runs did not end, by their
    keys.
    """

    study: str
    runs: pa.Table
    rounds: pa.Table
    trials: pa.Table | None = None
    baselines: pa.Table | None = None
    baseline_runs: pa.Table | None = None
    looks: pa.Table | None = None
    planned: int | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def write(path: Path, table: pa.Table, lasting: bool = True) -> str:
    """Write a Parquet file atomically, and return its seal."""
    buffer = io.BytesIO()
    metadata = {**metadata_of(table), files.SEAL: files.UNSEALED}
    table = table.replace_schema_metadata(metadata)
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    content = files.sealed(buffer.getvalue())
    files.write(path, content, lasting)
    return files.seal_of(content)


def read(path: Path, remedy: str, seal: str | None = None) -> pa.Table:
    """Read what `write` wrote.

    `seal`: the seal of the file that is meant, where another could lie in its place.

    Raises:
        HeadstartError: it is missing, has changed since it was written, or is another file than the
            one meant.
    """
    with files.damage_explained(path, remedy):
        content = path.read_bytes()
        found = files.seal_of(content)
        if seal is not None and found != seal:
            raise ValueError(
                "it is whole, but not the one that was written together with the others"
            )
        opened = pq.ParquetFile(
            io.BytesIO(content), page_checksum_verification=True, **IN_THIS_THREAD
        )
        table = opened.read(use_threads=False)
    return table.replace_schema_metadata(
        {k: v for k, v in metadata_of(table).items() if k != files.SEAL}
    )


def write_results(directory: Path, results: StudyTables) -> None:
    """Write the tables of a study to `results/` of its folder."""
    folder, metadata = directory / RESULTS, {**results.about, "study": results.study}
    if results.planned is not None:
        metadata["planned"] = str(results.planned)
    if results.failed:
        metadata["failed"] = json.dumps(dict(results.failed))
    for name, file in BESIDE_RUNS.items():
        if (table := getattr(results, name)) is not None:
            metadata[name] = write(folder / file, table)
    write(folder / RUNS_FILE, results.runs.replace_schema_metadata(metadata))


def read_results(directory: Path) -> StudyTables:
    """Read what `write_results` wrote.

    Raises:
        HeadstartError: a file is missing, has changed, or is not of the time of the others.
    """
    folder = directory / RESULTS
    if not (folder / RUNS_FILE).exists():
        raise HeadstartError(
            f"{folder / RUNS_FILE}: not found; expected the folder that `headstart run` wrote"
        )
    runs = read(folder / RUNS_FILE, AGAIN)
    said = metadata_of(runs)
    if "study" not in said or "rounds" not in said:
        raise HeadstartError(f"{folder / RUNS_FILE} is damaged (it names no study); {AGAIN}")
    beside: dict[str, pa.Table] = {}
    for name, file in BESIDE_RUNS.items():
        if name in said:
            beside[name] = read(folder / file, AGAIN, said[name])
    planned = said.get("planned", "")
    about = {name: text for name, text in said.items() if name not in _OWN}
    number = int(planned) if planned.isdecimal() else None
    failed = {str(run): str(why) for run, why in json.loads(said.get("failed", "{}")).items()}
    return StudyTables(said["study"], runs, **beside, planned=number, about=about, failed=failed)


_OWN = ("study", "planned", "failed", *BESIDE_RUNS)


def metadata_of(table: pa.Table) -> dict[str, str]:
    """What a table says beside its columns."""
    metadata = table.schema.metadata or {}
    return {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in metadata.items()
    }
