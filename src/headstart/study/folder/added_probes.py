"""Probes that were added to a run that is done, measured of the weights that it began from and
ended with.

Only for probes that look at nothing else, and only if they come after those that were measured:
then the rows are those of a run that had them from the start, in the same order. Others need the
rounds between, and the run is done again.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from headstart import files, trees
from headstart.engine.federation import Federation, State
from headstart.engine.measurements import Measurements, Row
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.starts import weights
from headstart.study.events import Ended
from headstart.study.file.run_spec import RunSpec
from headstart.study.folder.store import BEST, HINT, Folder, read_rounds
from headstart.tables import ROUNDS_FILE


def hand_over_rows(folder: Folder, done: str, run: RunSpec) -> None:
    """Have a run take over what another one measured, which lacks only probes."""
    files.write_record(folder.run(run.key) / HINT, {"run": done})


def is_handed_over(folder: Folder, run: RunSpec) -> bool:
    """Whether a run is to take over what another one measured."""
    return (folder.run(run.key) / HINT).exists()


def ended(run: RunSpec, federation: Federation, beginning: State, folder: Folder) -> Ended:
    """Measure what is lacking; return the run's end as if it had been measured along the way."""
    done = str(files.read_record(folder.run(run.key) / HINT)["run"])
    record = folder.record(done)
    rows = _rows(read_rounds(folder.run(done) / ROUNDS_FILE, record["files"]["rounds"]))
    before = len(record["spec"]["probes"])
    probes = [PROBES.build(probe, federation) for probe in run.probes[before:]]
    at_start = _measured(probes, Moment(beginning, None, None))
    rows = _after(rows, 0, 0, at_start)
    if record["status"] == "finished":
        final = weights.load(folder.weights(done)).state
        trained = {name: final[name] for name in beginning.x}
        end = replace(beginning, round=run.rounds, x=trees.to(trained, federation.network.device))
        at_end = _measured(probes, Moment(end, beginning, None, last=True))
        rows = _after(rows, run.rounds, _first_of(rows, run.rounds), at_end)
    best = folder.run(done) / BEST
    return Ended(
        run,
        record={**record, "run": run.key, "spec": run.spec()},
        rows=Measurements(rows),
        weights=folder.weights(done).read_bytes(),
        best=best.read_bytes() if best.exists() else b"",
    )


def _measured(probes: Sequence[Probe], moment: Moment) -> Metrics:
    found: Metrics = {}
    for probe in probes:
        found |= probe.measure(moment)
    if not all(map(math.isfinite, found.values())):
        return {}
    return found


def _rows(table: object) -> list[Row]:
    columns = table.to_pydict()  # type: ignore[attr-defined]
    return list(zip(columns["round"], columns["metric"], columns["value"], strict=True))


def _first_of(rows: Sequence[Row], round_: int) -> int:
    return next((i for i, row in enumerate(rows) if row[0] == round_), len(rows))


def _after(rows: list[Row], round_: int, first: int, found: Metrics) -> list[Row]:
    """The rows, with those of a round that begins at `first` followed by what was found."""
    end = next((i for i in range(first, len(rows)) if rows[i][0] != round_), len(rows))
    return [*rows[:end], *((round_, metric, value) for metric, value in found.items()), *rows[end:]]
