"""The tables of a study's results with their columns.

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

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pyarrow as pa

from headstart import files
from headstart.errors import HeadstartError
from headstart.parquet_files import metadata_of, read, sealed_file

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

KEEP = "put it back as it was, since looks that were taken count, or choose a new folder"
"""What is to be done where `looks.parquet` is gone or another one: no run tells what it held."""


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
        estimate, low, high: by how much the one is more accurate, as a share, and the interval that
            the decision is read off; where one of them is run no further, as they were when both
            still were.
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


DECISIONS = ("ahead", "behind", "level", "no worse", "no better", "open", "given up")
"""What a look decides of one and the other: the one is ahead, or behind; the two are level, within
the margin; the one is worse, or better, by no more than the margin; nothing yet; nothing, and the
study ended there, as the seeds to come would most likely decide nothing.
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


def results_files(
    results: StudyTables, packed: Callable[[pa.Table], bytes] = sealed_file
) -> Iterator[tuple[str, bytes]]:
    """The files of `results/` by their names, in the order in which they are to be written."""
    metadata = {**results.about, "study": results.study}
    if results.planned is not None:
        metadata["planned"] = str(results.planned)
    if results.failed:
        metadata["failed"] = json.dumps(dict(results.failed))
    for name, file in BESIDE_RUNS.items():
        if (table := getattr(results, name)) is not None:
            content = packed(table)
            metadata[name] = files.seal_of(content)
            yield file, content
    yield RUNS_FILE, packed(results.runs.replace_schema_metadata(metadata))


def write_results(directory: Path, results: StudyTables) -> None:
    """Write the tables of a study to `results/` of its folder."""
    for file, content in results_files(results):
        files.write(directory / RESULTS / file, content)


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
            beside[name] = read(folder / file, KEEP if name == "looks" else AGAIN, said[name])
    planned = said.get("planned", "")
    about = {name: text for name, text in said.items() if name not in _OWN}
    number = int(planned) if planned.isdecimal() else None
    failed = {str(run): str(why) for run, why in json.loads(said.get("failed", "{}")).items()}
    return StudyTables(said["study"], runs, **beside, planned=number, about=about, failed=failed)


_OWN = ("study", "planned", "failed", *BESIDE_RUNS)
