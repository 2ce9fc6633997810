"""The record of a study's looks: `results/looks.parquet`, a row for each comparison at each look.

In its metadata are the plan that the study file asked for and the one that is followed, which
differ where a folder grew as nobody had planned, and how many looks were taken. These can not be
told from the runs, so the record is never made anew while there are results.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from headstart import arrow, parquet_files, tables
from headstart.errors import HeadstartError
from headstart.looks.decided import Decided
from headstart.looks.plans import Plan, as_mapping, from_mapping, going_on
from headstart.parquet_files import metadata_of
from headstart.statistics.joint.decisions import Bounds, Decision
from headstart.statistics.joint.sequential import levels
from headstart.tables import KEEP, LOOKS, LookRow

PLAN = "plan"
"""In the metadata of the table: the plans, and how many looks were taken."""

LOOKED = "looked"
"""In the metadata of the table of runs: the looks that were taken, so that an older or another
record is known.
"""


@dataclass(frozen=True)
class Record:
    """What a folder knows of its looks.

    Attributes:
        asked: the plan of the study file.
        followed: the plan with the looks that were taken before.
        taken: how many of its looks were taken.
        margins: with which looks were taken before the study file had another one, in their order.
    """

    asked: Plan
    followed: Plan
    taken: int
    margins: tuple[float, ...] = ()

    def with_looks(self, taken: int) -> "Record":
        """The record after so many looks; looks that were taken stay so."""
        return replace(self, taken=max(taken, self.taken))


def record_for(asked: Plan, before: Record | None) -> Record:
    """The record with which a study goes on.

    Raises:
        HeadstartError: a seed that was looked at is not asked for any more.
    """
    if before is None:
        return Record(asked, asked, 0)
    margins = before.margins
    if before.taken and before.asked.margin != asked.margin:
        margins += (before.asked.margin,)
    if (before.asked.seeds, before.asked.looks) == (asked.seeds, asked.looks):
        followed = replace(asked, seeds=before.followed.seeds, looks=before.followed.looks)
    else:
        followed = going_on(asked, before.followed, before.taken)
    return Record(asked, followed, before.taken, margins)


def read_record(folder: Path) -> Record | None:
    """The record in a study's folder; None where there are no results yet.

    Raises:
        HeadstartError: it is damaged, gone while there are results, or of another time than these.
    """
    results = folder / tables.RESULTS
    path = results / tables.LOOKS_FILE
    others = [tables.RUNS_FILE, *tables.BESIDE_RUNS.values()]
    if not path.exists():
        if any((results / file).exists() for file in others):
            raise HeadstartError(f"{path} is gone, which says what was looked at; {KEEP}")
        return None
    record = record_in(parquet_files.read(path, KEEP), path)
    if not _follows_on(record, _looked_at(results / tables.RUNS_FILE)):
        raise HeadstartError(
            f"{path} is whole, but does not hold the looks of which {tables.RUNS_FILE} tells; "
            f"{KEEP}"
        )
    return record


def looks_taken(record: Record) -> str:
    """The looks that were taken, as the table of runs has them in its metadata under `LOOKED`."""
    looks, taken = record.followed.looks, record.taken
    seeds = record.followed.seeds[: looks.seeds[taken - 1]] if taken else ()
    return json.dumps([seeds, looks.seeds[:taken], looks.spent[:taken]])


def _looked_at(path: Path) -> str:
    """What the table of runs says of the looks; empty where it is damaged, and made anew from the
    runs.
    """
    try:
        said = metadata_of(parquet_files.read(path, tables.AGAIN)) if path.exists() else {}
    except HeadstartError:
        return ""
    return said.get(LOOKED, "")


def _follows_on(record: Record, said: str) -> bool:
    """Whether a record has the looks that were told, and perhaps later ones: it is written before
    the table of runs, and a process may end between the two.
    """
    if not said:
        return True
    taken = len(json.loads(said)[1])
    return taken <= record.taken and looks_taken(replace(record, taken=taken)) == said


def record_in(table: pa.Table, path: Path) -> Record:
    """The record that a table of looks has in its metadata.

    Raises:
        HeadstartError: it has none.
    """
    try:
        said = json.loads(metadata_of(table)[PLAN])
        plans = from_mapping(said["asked"]), from_mapping(said["followed"])
        margins = tuple(map(float, said.get("margins", ())))
        return Record(*plans, int(said["taken"]), margins)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise HeadstartError(f"{path} is damaged (it names no plan); {KEEP}") from None


def table_of(record: Record, found: Decided | None) -> pa.Table:
    """The record as a table. `found`: what was decided, None where no run has begun."""
    rows = [] if found is None else list(map(asdict, _rows(found)))
    said: dict[str, Any] = {
        "asked": as_mapping(record.asked),
        "followed": as_mapping(record.followed),
        "taken": record.taken,
    }
    if record.margins:
        said["margins"] = record.margins
    table = arrow.table(rows, LOOKS)
    return table.replace_schema_metadata({PLAN: json.dumps(said)})


def _rows(found: Decided) -> Iterator[LookRow]:
    at_level = levels(found.plan.looks)
    for place, at in enumerate(found.decisions):
        is_given_up = found.spared > 0 and at is found.last
        row = partial(_row, look=place + 1, at=at, level=at_level[place], is_given_up=is_given_up)
        for (a, b), bounds in sorted(at.starts.items()):
            if a < b:
                names = found.starts[a], found.starts[b]
                yield row("where", None, names, bounds, at.starts[b, a])
        for (a, i, j), bounds in sorted(at.pairs.items()):
            if i < j:
                pairs = str(found.pairs[i][0]), str(found.pairs[j][0])
                yield row("which", found.starts[a], pairs, bounds, at.pairs[a, j, i])


def _row(
    question: str,
    start: str | None,
    names: tuple[str, str],
    ours: Bounds,
    theirs: Bounds,
    *,
    look: int,
    at: Decision,
    level: float,
    is_given_up: bool,
) -> LookRow:
    """The row of two at a look.

    Args:
        question: `where` or `which`.
        start: from which start, where pairs are compared.
        names: those of the one and the other.
        ours: what the one is ahead by.
        theirs: what the other is ahead by.
        look: the number of the look.
        at: what was decided at it.
        level: at which it tests.
        is_given_up: whether the study ended at it, as further looks would most likely decide
            nothing.
    """
    decision = in_a_word(ours, theirs, at.margin)
    return LookRow(
        look=look,
        seeds=at.seeds,
        question=question,
        start=start,
        one=names[0],
        other=names[1],
        estimate=ours.value,
        low=ours.low,
        high=ours.high,
        spent=at.spent,
        level=level,
        decision="given up" if is_given_up and decision == "open" else decision,
    )


def in_a_word(ours: Bounds, theirs: Bounds, margin: float) -> str:
    """What a look decides of two, as `headstart.tables.DECISIONS` has it.

    Args:
        ours: what the one is ahead by.
        theirs: what the other is ahead by.
        margin: a difference that is no more than this does not matter.
    """
    if ours.low > 0:
        return "ahead"
    if theirs.low > 0:
        return "behind"
    no_worse, no_better = theirs.most <= margin, ours.most <= margin
    if no_worse and no_better:
        return "level"
    if no_worse:
        return "no worse"
    return "no better" if no_better else "open"
