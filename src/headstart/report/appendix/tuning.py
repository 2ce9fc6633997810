"""The tuning behind a study's rates: its budget, its best values, and whether any lies at an end of
its range.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.words.table import Rows, Table, titles
from headstart.wording.phrases import count, listed

CELL = ("start", "client", "server", "partition", "devices", "local_epochs")
BEST = ("start", "client", "server", "client_rate", "server_rate", "parameters", "accuracy", "edge")
ALL = (
    *CELL, "trial", "status", "rounds", "client_rate", "server_rate", "parameters", "accuracy",
    "loss", "best",
)  # fmt: skip

Trial = Mapping[str, Any]
"""A row of trials.parquet."""


@dataclass(frozen=True)
class TuningNotes:
    """`budget` says what each search was given; `warnings` what to know before trusting the
    rates.
    """

    budget: str
    warnings: list[str]
    best: Table
    trials: Table


def tuning(trials: Sequence[Trial]) -> TuningNotes | None:
    """What results/trials.parquet tells; None where nothing was tuned."""
    if not trials:
        return None
    by_search: dict[str, list[Trial]] = {}
    for trial in trials:
        by_search.setdefault(trial["search"], []).append(trial)
    searches = list(by_search.values())
    return TuningNotes(budget(searches), warnings(searches), best(searches), all_of(trials))


def budget(searches: Sequence[Sequence[Trial]]) -> str:
    """What each search was given, counted in the stored trials, not read from the study file."""
    numbers = sorted(set(map(len, searches)))
    seeds, statuses = set(), Counter[str]()
    for trial in itertools.chain.from_iterable(searches):
        seeds.add(trial["seeds"])
        statuses[trial["status"]] += 1
    lost = [f"{statuses[s]} {s}" for s in ("pruned", "diverged", "failed") if statuses[s]]
    each = f"{numbers[0]} to {numbers[-1]} trials"
    if len(numbers) == 1:
        each = f"{numbers[0]} trials"
    same = "each got the same" if len(numbers) == len(seeds) == 1 else "budgets differ"
    on_seeds = listed(count(n, "seed") for n in sorted(seeds))
    return (
        f"{count(len(searches), 'combination')} of start and pair tuned with {each} of {on_seeds}: "
        f"{same}. Of {count(statuses.total(), 'trial')}, "
        f"{listed(lost) if lost else 'none was pruned and none diverged'}."
    )


def warnings(searches: Sequence[Sequence[Trial]]) -> list[str]:
    """What to know before trusting the rates."""
    found = []
    if len(set(map(len, searches))) > 1:
        found.append(
            "The budgets are not equal: compare starts and pairs with care, or run the study to "
            "its end."
        )
    at_edge: dict[str, list[str]] = {}
    for trials in searches:
        chosen = next((trial for trial in trials if trial["best"]), None)
        if chosen is None:
            found.append(
                f"Every trial diverged for {_name(trials[0])}: its rates are those of the study "
                "file. Try lower ranges."
            )
            continue
        for edge in filter(None, chosen["edge"].split(", ")):
            at_edge.setdefault(edge, []).append(_name(trials[0]))
    for edge, names in at_edge.items():
        found.append(at_an_end(edge.replace("_", " "), names))
    return found


def at_an_end(what: str, of: Sequence[str]) -> str:
    """A warning of a best value at an end of what was tried."""
    where = f"lies at an end of its range for {listed(of)}"
    return f"The best {what} {where}: a wider range could do better."


def best(searches: Sequence[Sequence[Trial]]) -> Table:
    """A row for the best trial of each search."""
    rows = Rows(*titles(BEST), "trials", "pruned")
    for trials in searches:
        pruned = sum(trial["status"] == "pruned" for trial in trials)
        for trial in trials:
            if trial["best"]:
                rows.add(*[trial[name] for name in BEST], len(trials), pruned)
    return rows.table("tuned", "The best trial of every start and pair", "accuracy")


def all_of(trials: Sequence[Trial]) -> Table:
    """A row for each trial."""
    rows = Rows(*titles(ALL))
    for trial in trials:
        rows.add(*[trial[name] for name in ALL])
    return rows.table("trials", "All trials", "accuracy")


def _name(trial: Trial) -> str:
    return f"{trial['client']} + {trial['server']} from {trial['start']}"
