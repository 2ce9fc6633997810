"""A study's folder: who may write to it, what is done, and the tables gathered from it. Knows
nothing of torch.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from headstart import arrow, files, parquet_files, tables
from headstart.engine.measurements import Measurements
from headstart.errors import HeadstartError
from headstart.files.locks import locked_with_a_file
from headstart.study.folder import outcome
from headstart.study.folder.earlier_tables import about, gathered
from headstart.tables import BASELINE_RUNS, ROUNDS, ROUNDS_FILE, RUNS, STUDY_FILE

WRITTEN = "paper.yaml"
"""The file that may stand in a folder before its study has begun: the study file itself."""

PUBLISHED = ("published.sha256", "findings.json")
"""Files by which a folder is known that `headstart publish` wrote, with a study.yaml but without
runs.
"""

RECORD, WEIGHTS = "run.json", "weights.safetensors"
"""Files of a run that is done, beside that of its rounds."""

BEST = "best.safetensors"
"""The weights of its best round, where the study keeps them too."""

CHECKPOINT = "checkpoint.safetensors"
STATE, JOURNAL = "state.safetensors", "measured.journal"
"""What a run has from which it can go on: see `headstart.study.folder.saved`."""

HINT = "measured.json"
"""In the folder of a run that is not done: which run that is done lacks only probes."""

STARTS_FOLDER, TUNING_FOLDER = "starts", "tuning"
"""Folders of the study's: weights that runs begin from, and the trials of its searches."""

MOMENT = 1.0
"""Seconds: so long the workers of a process that was killed may hold its folder on, as they were
forked from it.
"""


class Folder:
    """The folder of one study."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def claimed(
        self, resolved_study: str, refusal: Callable[[], str] = lambda: ""
    ) -> Iterator[None]:
        """Hold the folder for this process and this study; the hold ends with the process, however
        it ends.

        Where the folder has the file of another study, or none, `refusal` says why it may not pass
        to this one; empty where it may.

        Raises:
            HeadstartError: another process holds it, it belongs to another study, or it cannot be
                written.
        """
        with files.explained(self.path, "write"):
            self._refuse_foreign()  # before anything is written
            self.path.mkdir(parents=True, exist_ok=True)
        with locked_with_a_file(self.path, MOMENT):
            with files.explained(self.path, "write"):
                self._refuse_foreign()
                self._belongs_to(resolved_study, refusal)
                self._sweep()
            yield

    def _refuse_foreign(self) -> None:
        is_published = any((self.path / name).exists() for name in PUBLISHED)
        if is_published and not (self.path / "runs").exists():
            raise HeadstartError(
                f"{self.path} holds what `headstart publish` wrote of a study, and no runs; "
                "choose a new folder"
            )
        if self.path.is_dir() and not (self.path / STUDY_FILE).exists():
            names = {entry.name for entry in self.path.iterdir() if not _is_partial(entry)}
            foreign = names - {".lock", WRITTEN}
            if foreign and not any(self.path.glob(f"runs/*/{RECORD}")):
                raise HeadstartError(
                    f"{self.path} holds files that are not a study's ({min(foreign)}); choose a "
                    "new folder"
                )

    def _belongs_to(self, resolved_study: str, refusal: Callable[[], str]) -> None:
        study = self.path / STUDY_FILE
        present = ""
        if study.exists():
            with files.explained(study, "read"):
                present = study.read_text(encoding="utf-8", errors="replace")
        if present != resolved_study:
            if why := refusal():
                raise HeadstartError(
                    f"{self.path} holds the results of another study ({why}); "
                    "choose a new folder, or only add to that study"
                )
            files.write(study, resolved_study)

    def _sweep(self) -> None:
        """Remove what a killed process left behind: files half-written, and checkpoints of runs
        that are done.
        """
        for partial in filter(_is_partial, self.path.rglob(".*")):
            partial.unlink(missing_ok=True)
        for record in self.path.glob(f"runs/*/{RECORD}"):
            run = record.parent
            if (run / CHECKPOINT).exists():
                (run / CHECKPOINT).unlink()
                if not (run / STATE).exists():
                    (run / JOURNAL).unlink(missing_ok=True)

    def run(self, key: str) -> Path:
        """The folder of a run."""
        return self.path / "runs" / key

    def trial(self, search: str, number: int) -> Path:
        """The file of a trial of a search."""
        return self.path / TUNING_FOLDER / search / f"{number:04d}.json"

    def is_done(self, key: str) -> bool:
        """Whether the run ended (finished or diverged) and was written."""
        return (self.run(key) / RECORD).exists()

    def finish(self, key: str, record: dict[str, Any], rows: Measurements) -> None:
        """Write what came of a run. Its record is the last file, so a run is done or not there.

        The record holds the seals of what belongs to it, so that nothing of another run is taken
        for it.
        """
        seal = parquet_files.write(self.run(key) / ROUNDS_FILE, rows.table(key))
        weights = self.run(key) / WEIGHTS
        belongs: dict[str, Any] = {"rounds": seal, "weights": None, "weights_bytes": None}
        if weights.exists():
            belongs |= {"weights": files.digest(weights), "weights_bytes": weights.stat().st_size}
        files.write_record(self.run(key) / RECORD, {**record, "files": belongs})

    def gather(
        self,
        keys: Sequence[str],
        target_accuracy: float | None,
        study: str = "",
        held_against: Mapping[str, str] | None = None,
    ) -> tables.StudyTables:
        """Make the tables of the runs that are done, in the order given.

        They say which study it is and how many runs were planned, so that a reader can tell what is
        missing.

        Args:
            keys: the runs.
            target_accuracy: what `rounds_to_target` is counted for.
            study: the text of the resolved study.
            held_against: the runs of other training, each with the run that is held against it.

        Raises:
            HeadstartError: a run's files are damaged.
        """
        rows, of_runs = [arrow.table([], RUNS)], [arrow.table([], ROUNDS)]
        before, records = gathered(self.path, target_accuracy), {}
        for key in keys:
            if self.is_done(key):
                record, seal = self._record(key)
                self._refuse_others_files(key, record)
                rounds, row = before.of(key, seal) or self._read(key, record, target_accuracy)
                of_runs.append(rounds)
                rows.append(row)
                records[key] = seal
        runs, rounds = (pa.concat_tables(parts).combine_chunks() for parts in (rows, of_runs))
        said = about(records, target_accuracy)
        others = self._others(held_against) if held_against else None
        return tables.StudyTables(
            study, runs, rounds, baseline_runs=others, planned=len(keys), about=said
        )

    def _others(self, held_against: Mapping[str, str]) -> pa.Table:
        """What came of the runs that others are held against, of those that are done."""
        rows = []
        for key, of in held_against.items():
            if self.is_done(key):
                record = self.record(key)
                self._refuse_others_files(key, record)
                _, row = self._read(key, record, None)
                known = {**record["spec"], **row.to_pylist()[0], "held_against": of}
                rows.append({name: known.get(name) for name in BASELINE_RUNS.names})
        return arrow.table(rows, BASELINE_RUNS)

    def record(self, key: str) -> dict[str, Any]:
        """What a run that is done was, and what came of it.

        Raises:
            HeadstartError: the file has changed, or is of another run.
        """
        return self._record(key)[0]

    def _record(self, key: str) -> tuple[dict[str, Any], str]:
        """With its seal."""
        path = self.run(key) / RECORD
        record, seal = files.read_record_and_seal(path, files.delete_folder_of(path))
        with files.damage_explained(path, files.delete_folder_of(path)):
            if record["run"] != key:
                raise ValueError(f"it is of run {record['run']}")
        return record, seal

    def best_weights(self, key: str) -> Path:
        """The file of the weights of a run's best round.

        Raises:
            HeadstartError: they were not kept.
        """
        file = self.run(key) / BEST
        if not file.is_file():
            raise HeadstartError(f"{file}: not found; a study with keep_weights: both keeps them")
        return file

    def weights(self, key: str) -> Path:
        """The file of the weights that a run ended with, after its sha256 was compared with the
        record's.

        Raises:
            HeadstartError: it is gone, or has changed since the run ended.
        """
        path, record = self.run(key) / WEIGHTS, self.record(key)
        with files.damage_explained(path, files.delete_folder_of(path)):
            if not path.is_file():
                raise ValueError("it is gone")
            if files.digest(path) != record["files"]["weights"]:
                raise ValueError(
                    "its sha256 is another than that of the weights the run ended with"
                )
        return path

    def _refuse_others_files(self, key: str, record: dict[str, Any]) -> None:
        """Rounds that are not those of the record, and weights that are gone or cut.

        Whether each bit of the weights is right is seen where they are read.
        """
        run = self.run(key)
        path = run / RECORD
        with files.damage_explained(path, files.delete_folder_of(path)):
            seal, size = str(record["files"]["rounds"]), record["files"]["weights_bytes"]
        path = run / ROUNDS_FILE
        with files.damage_explained(path, files.delete_folder_of(path)):
            if files.seal_of(path.read_bytes()) != seal:
                raise ValueError(
                    "it is whole, but of another run or another time than the record beside it"
                )
        path = run / WEIGHTS
        with files.damage_explained(path, files.delete_folder_of(path)):
            found = path.stat().st_size if size is not None else None
            if found != size:
                raise ValueError(f"expected {size} bytes, got {found}")

    def _read(
        self, key: str, record: dict[str, Any], target: float | None
    ) -> tuple[pa.Table, pa.Table]:
        """The rounds of a run that is done, and its row among the runs."""
        path = self.run(key) / RECORD
        with files.damage_explained(path, files.delete_folder_of(path)):
            rounds = read_rounds(self.run(key) / ROUNDS_FILE, record["files"]["rounds"])
            known = {name: record[name] for name in RUNS.names if name in record}
            row = outcome.with_outcome(known, rounds, target)
            return rounds, arrow.table([row], RUNS)


def _is_partial(path: Path) -> bool:
    return files.whose_half(path) is not None


def read_rounds(path: Path, seal: str | None = None) -> pa.Table:
    """The rounds of a run; `seal`: that which its record names.

    Raises:
        HeadstartError: the file is missing, damaged, of another run or of another form.
    """
    remedy = files.delete_folder_of(path)
    table = parquet_files.read(path, remedy, seal)
    if not table.schema.equals(ROUNDS):
        expected, came = _columns(ROUNDS), _columns(table.schema)
        raise HeadstartError(f"{path}: expected the columns {expected}, got {came}; {remedy}")
    return table


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{column.name} ({column.type})" for column in schema)
