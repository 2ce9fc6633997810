"""The tables of results as they were gathered before: what of them still holds need not be read
from its run again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from headstart import arrow, tables
from headstart.errors import HeadstartError

RECORDS, TARGET = "records", "target_accuracy"
"""In the metadata of the runs: the seal of each run's record, and what `rounds_to_target` was
counted for.
"""


@dataclass(frozen=True)
class Gathered:
    """Rows by run: where they begin in the tables, and how many there are."""

    runs: pa.Table = field(default_factory=lambda: arrow.table([], pa.schema([])))
    rounds: pa.Table = field(default_factory=lambda: arrow.table([], pa.schema([])))
    records: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Row among the runs, first row among the rounds, number of rounds."""

    def of(self, key: str, seal: str) -> tuple[pa.Table, pa.Table] | None:
        """The rounds and the row of a run whose record has not changed."""
        if self.records.get(key) != seal or key not in self.places:
            return None
        row, first, count = self.places[key]
        return self.rounds.slice(first, count), self.runs.slice(row, 1)


def gathered(folder: Path, target: float | None) -> Gathered:
    """What the folder's tables hold; nothing where they are missing, damaged, or of another target
    or form.
    """
    try:
        found = tables.read_results(folder)
        records = json.loads(found.about.get(RECORDS, "{}"))
    except (HeadstartError, ValueError):
        return Gathered()
    fits = found.runs.schema.equals(tables.RUNS) and found.rounds.schema.equals(tables.ROUNDS)
    if not fits or found.about.get(TARGET) != repr(target) or not isinstance(records, dict):
        return Gathered()
    rows = found.rounds.combine_chunks()
    begins, first = {}, 0
    if len(rows):
        runs_of_rows = pc.run_end_encode(rows["run"].combine_chunks())
        for key, end in zip(
            runs_of_rows.values.to_pylist(), runs_of_rows.run_ends.to_pylist(), strict=True
        ):
            begins[key] = first, end - first
            first = end
    keys = found.runs["run"].to_pylist()
    places = {key: (i, *begins.get(key, (0, 0))) for i, key in enumerate(keys)}
    return Gathered(found.runs.combine_chunks(), rows, records, places)


def about(records: Mapping[str, str], target: float | None) -> dict[str, str]:
    """What the tables say of themselves, for the next time."""
    return {RECORDS: json.dumps(records), TARGET: repr(target)}
