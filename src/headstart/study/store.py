"""A study's folder: who may write to it, what is done, and the tables gathered from it. Knows nothing of torch.

DIR/study.yaml                 the resolved study
DIR/runs/<key>/rounds.parquet  round, metric, value
DIR/runs/<key>/run.json        what the run was and what came of it; written last, so its presence means done
DIR/runs/<key>/*.safetensors   the final weights; while the run is under way, its checkpoint
DIR/results/*.parquet          all runs in the order of the grid
"""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pyarrow as pa
import pyarrow.parquet as pq

from headstart import files
from headstart.errors import HeadstartError

RUNS = pa.schema(
    [(name, pa.string()) for name in ("run", "task", "model", "start", "client", "server", "partition", "devices")]
    + [("local_epochs", pa.int64()), ("client_rate", pa.float64()), ("server_rate", pa.float64())]
    + [("seed", pa.int64()), ("status", pa.string()), ("rounds", pa.int64()), ("diverged_at", pa.int64())]
    + [("test_accuracy", pa.float64()), ("test_loss", pa.float64()), ("rounds_to_target", pa.int64())]
    + [("bytes_up", pa.int64()), ("bytes_down", pa.int64()), ("parameters", pa.int64())]
    + [("simulated_seconds", pa.float64()), ("seconds", pa.float64()), ("executor", pa.string())]
)
ROUNDS = pa.schema([("run", pa.string()), ("round", pa.int64()), ("metric", pa.string()), ("value", pa.float64())])


class Folder:
    """The folder of one study."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def claimed(self, resolved_study: str) -> Iterator[None]:
        """Hold the folder for this process and this study; the hold ends with the process, however it ends.

        Raises:
            HeadstartError: another process holds it, it belongs to another study, or it cannot be written.
        """
        with files.explained(self.path, "write"):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock")
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                raise HeadstartError(
                    f"{self.path} is in use by another headstart process; wait for it to end"
                ) from None
        try:
            self._belongs_to(resolved_study)
            yield
        finally:
            lock.release()

    def _belongs_to(self, resolved_study: str) -> None:
        study = self.path / "study.yaml"
        if not study.exists():
            if any(entry.name != ".lock" for entry in self.path.iterdir()):
                raise HeadstartError(f"{self.path} holds files that are not a study's; choose a new folder")
            files.write(study, resolved_study)
            return
        with files.explained(study, "read"):
            present = study.read_text(encoding="utf-8", errors="replace")
        if present != resolved_study:
            pairs = zip(present.splitlines(), resolved_study.splitlines(), strict=False)
            line = next((f"{a.strip()!r} there, {b.strip()!r} here" for a, b in pairs if a != b), "its length")
            raise HeadstartError(f"{self.path} holds the results of another study ({line}); choose a new folder")

    def run(self, key: str) -> Path:
        """The folder of a run."""
        return self.path / "runs" / key

    def is_done(self, key: str) -> bool:
        """Whether the run ended (finished or diverged) and was written."""
        return (self.run(key) / "run.json").exists()

    def finish(self, key: str, record: dict[str, Any], rows: Sequence[tuple[int, str, float]]) -> None:
        """Write what came of a run. Its record is the last file, so a run is done or not there."""
        rounds, metrics, values = zip(*rows, strict=True) if rows else ((), (), ())
        table = pa.table([[key] * len(rows), rounds, metrics, values], schema=ROUNDS)
        write_table(self.run(key) / "rounds.parquet", table)
        files.write(self.run(key) / "run.json", json.dumps(record, indent=1))

    def gather(self, keys: Sequence[str], target_accuracy: float | None) -> tuple[pa.Table, pa.Table]:
        """Make results/runs.parquet and results/rounds.parquet of the runs that are done, in the order given.

        Raises:
            HeadstartError: a run's files are damaged.
        """
        records, tables = [], [ROUNDS.empty_table()]
        for key in keys:
            if not self.is_done(key):
                continue
            rounds = read_table(self.run(key) / "rounds.parquet", ROUNDS)
            tables.append(rounds)
            records.append(_ended(self._record(key), rounds, target_accuracy))
        runs = pa.Table.from_pylist(records, schema=RUNS)
        rounds = pa.concat_tables(tables)
        write_table(self.path / "results" / "runs.parquet", runs)
        write_table(self.path / "results" / "rounds.parquet", rounds)
        return runs, rounds

    def _record(self, key: str) -> dict[str, Any]:
        path = self.run(key) / "run.json"
        try:
            with files.explained(path, "read"):
                record = json.loads(path.read_bytes())
            return {name: record[name] for name in RUNS.names if name in record}
        except (ValueError, TypeError) as error:
            raise HeadstartError(f"{path} is damaged ({error}); delete {path.parent} and run again") from None


def _ended(record: dict[str, Any], rounds: pa.Table, target: float | None) -> dict[str, Any]:
    """The record with the last test metrics (none if diverged) and the first measured round at the target."""
    rows = rounds.to_pydict()
    series: dict[str, list[tuple[int, float]]] = {"test_accuracy": [], "test_loss": []}
    for round_, metric, value in zip(rows["round"], rows["metric"], rows["value"], strict=True):
        if metric in series:
            series[metric].append((round_, value))
    if record["status"] != "diverged":
        record |= {metric: measured[-1][1] for metric, measured in series.items() if measured}
    reached = [round_ for round_, value in series["test_accuracy"] if target is not None and value >= target]
    return {**record, "rounds_to_target": min(reached, default=None)}


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file atomically."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    files.write(path, buffer.getvalue())


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file of a known schema.

    Raises:
        HeadstartError: it is missing, damaged or of another form.
    """
    try:
        table = pq.read_table(io.BytesIO(path.read_bytes()))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise HeadstartError(f"{path} is damaged ({reason}); delete {path.parent} and run again") from None
    if table.schema.names != schema.names:
        raise HeadstartError(
            f"{path}: expected the columns {', '.join(schema.names)}, got {', '.join(table.schema.names)}"
        )
    return table
