"""The table of a study's trials: what was tried for every start and pair, what was best, and
whether at an edge.
"""

from dataclasses import asdict

import pyarrow as pa

from headstart import arrow
from headstart.study.tuning.search import Search
from headstart.study.tuning.trials import Trial, best_of, edges, tied_with
from headstart.tables import TRIALS, TrialRow


def table_of(found: dict[Search, list[Trial]]) -> pa.Table:
    """The trials that are done, a row each. Accuracy and loss are those of the validation split."""
    rows = []
    for search, trials in found.items():
        best = best_of(trials)
        tied = tied_with(best, trials) if best else []
        for number, trial in enumerate(trials):
            row = _row(search, number, trial, is_best=trial is best, is_tied=trial in tied)
            rows.append(asdict(row))
    return arrow.table(rows, TRIALS)


def _row(search: Search, number: int, trial: Trial, is_best: bool, is_tied: bool) -> TrialRow:
    base, others = search.base, {}
    for name, value in trial.values.items():
        if "." in name:
            others[name] = f"{name}={value:g}"
    measured = bool(trial.curve) and trial.status != "diverged"
    return TrialRow(
        search=search.key,
        repeat=search.repeat,
        start=str(base.start),
        client=str(base.client),
        server=str(base.server),
        partition=str(base.partition),
        devices=str(base.devices),
        local_epochs=base.local_epochs,
        trial=number,
        status=trial.status,
        rounds=trial.curve[-1][0] if trial.curve else 0,
        seeds=len(trial.seeds),
        client_rate=trial.values["client_rate"],
        server_rate=trial.values["server_rate"],
        parameters=", ".join(others.values()),
        accuracy=trial.accuracy if measured else None,
        loss=trial.loss,
        seconds=trial.seconds,
        best=is_best,
        tied=is_tied,
        edge=", ".join(edges(search, trial.values)) if is_best else "",
    )
