"""The columns of the tables of results, each declared once: its name, and its type."""

from dataclasses import dataclass, fields
from typing import Any, get_args, get_type_hints

import pyarrow as pa

ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run that ended, as a row of `runs.parquet`.

    What is None there is of its rounds, or was not asked for. test_accuracy, test_loss and
    rounds_to_target are counted from its rounds whenever the tables are gathered.
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


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """A trial of a search, as a row of `trials.parquet`."""

    search: str
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
    edge: str


def schema_of(row: type[Any]) -> pa.Schema:
    """Return the schema of a table whose rows are declared by a class.

    >>> schema_of(TrialRow).field("loss").type
    DataType(double)
    """
    types = get_type_hints(row)
    columns = []
    for field in fields(row):
        kind = types[field.name]
        value, *_ = get_args(kind) or (kind,)
        columns.append((field.name, ARROW[value]))
    return pa.schema(columns)


RUNS, TRIALS = schema_of(RunRow), schema_of(TrialRow)
ROUNDS = pa.schema(
    [("run", pa.string()), ("round", pa.int64()), ("metric", pa.string()), ("value", pa.float64())]
)
