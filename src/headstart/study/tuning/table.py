"""The table of a study's trials: what was tried for every start and pair, what was best, and
whether at an edge.
"""

import pyarrow as pa

from headstart.study.folder.store import TRIALS
from headstart.study.tuning.search import Search
from headstart.study.tuning.trials import Trial, best_of, edges


def table_of(found: dict[Search, list[Trial]]) -> pa.Table:
    """The trials that are done, a row each. Accuracy and loss are those of the validation part."""
    rows = []
    for search, trials in found.items():
        best, base = best_of(trials), search.base
        names = ("start", "client", "server", "partition", "devices")
        cell = {name: str(getattr(base, name)) for name in names} | {
            "local_epochs": base.local_epochs
        }
        for number, trial in enumerate(trials):
            others = {name: value for name, value in trial.values.items() if "." in name}
            measured = bool(trial.curve) and trial.status != "diverged"
            rows.append(
                {
                    "search": search.key,
                    **cell,
                    "trial": number,
                    "status": trial.status,
                    "rounds": trial.curve[-1][0] if trial.curve else 0,
                    "seeds": len(trial.seeds),
                    "client_rate": trial.values["client_rate"],
                    "server_rate": trial.values["server_rate"],
                    "parameters": ", ".join(f"{name}={value:g}" for name, value in others.items()),
                    "accuracy": trial.accuracy if measured else None,
                    "loss": trial.loss,
                    "seconds": trial.seconds,
                    "best": trial is best,
                    "edge": ", ".join(edges(search, trial.values)) if trial is best else "",
                }
            )
    return pa.Table.from_pylist(rows, schema=TRIALS)
