"""Sorts the runs of a study into cells; from here on no text holds characters that a page would
obey and not show.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.looks.competitors import Pair, Setting, family, labels
from headstart.looks.repeats import first_of_repeat
from headstart.report.runs.cells import Cell, Rates, rates_of
from headstart.report.runs.grid import Grid, Place
from headstart.report.runs.part_names import PartNames
from headstart.report.runs.records import TEXTS, Records, Run
from headstart.report.words.start_names import start_names
from headstart.tables import BaselineRow
from headstart.wording.escapes import printable

OF_TRIALS = {
    "client": "clients",
    "server": "servers",
    "partition": "partitions",
    "devices": "devices",
}
"""Columns of the trials that name parts, and the keys of the study file that do."""

ALL_REPEATS: Rates = (0.0, 0.0, "", "")
"""Stands for the rates of all repeats of a tuning."""


def sort(records: Records) -> Grid:
    """Sort the runs into cells. A start goes by the name that the study gives it, else by as little
    as tells it from the others that were run.
    """
    records = _with_brief_starts(_printable(records))
    called = records.names.called
    rows = [vars(run) for run in records.runs]
    repeats = records.repeats
    clients, servers = labels(rows, "client"), labels(rows, "server")
    tried: dict[Place, dict[Rates, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in records.runs:
        pair = Pair(called("clients", clients[run.client]), called("servers", servers[run.server]))
        setting = Setting(
            called("partitions", run.partition), called("devices", run.devices), run.local_epochs,
            run.trainable,
        )  # fmt: skip
        # The rates of a cell are what its tunings found, not a choice among them.
        rates = ALL_REPEATS if repeats > 1 else rates_of(run)
        tried[run.start, pair, setting][rates].append(run)
    named = first_of_repeat(records.distinct("seed"), repeats)
    at_rates, chosen = {}, {}
    for place, by_rate in tried.items():
        cells = [Cell(*place, tuple(runs), named) for runs in by_rate.values()]
        cells.sort(key=_goodness, reverse=True)
        at_rates[place], chosen[place] = tuple(cells), cells[0]
    starts = dict.fromkeys(start for start, _, _ in chosen)
    ordered = sorted(starts, key=lambda start: family(start) != "random")
    return Grid(records, tuple(ordered), chosen, at_rates)


def _goodness(cell: Cell) -> tuple[int, int, float]:
    return (-cell.diverged, len(cell.runs), np.nan_to_num(cell.mean, nan=-1.0))


def _printable(records: Records) -> Records:
    runs = []
    for run in records.runs:
        texts: dict[str, Any] = {name: _shown(getattr(run, name)) for name in TEXTS}
        runs.append(replace(run, **texts))
    return replace(
        records,
        settings=_shown(records.settings),
        names=PartNames(_shown(records.names.of)),
        failed=_shown(records.failed),
        runs=tuple(runs),
        trials=tuple(map(_shown, records.trials)),
        baselines=tuple(_with_printable_answer(row) for row in records.baselines),
    )


def _with_printable_answer(row: BaselineRow) -> BaselineRow:
    return replace(row, task=printable(row.task), answer=printable(row.answer))


def _shown(value: Any) -> Any:
    """All text within a value of YAML or JSON, printable."""
    if isinstance(value, Mapping):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_shown, value))
    return printable(value) if isinstance(value, str) else value


def _with_brief_starts(records: Records) -> Records:
    short = start_names(run.start for run in records.runs)

    def brief(name: str) -> str:
        called = records.names.called("starts", name)
        return called if called != name else short.get(name, name)

    runs = [replace(run, start=brief(run.start)) for run in records.runs]
    trials = []
    for trial in records.trials:
        changed = {"start": brief(trial["start"])}
        for column, key in OF_TRIALS.items():
            changed[column] = records.names.called(key, trial[column])
        trials.append({**trial, **changed})
    written = {called: name for name, called in short.items()}
    return replace(records, runs=tuple(runs), trials=tuple(trials), written_starts=written)
