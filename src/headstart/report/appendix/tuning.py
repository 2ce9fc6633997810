"""The tuning behind a study's rates: its budget, its best values, and whether any lies at an end of
its range.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.looks.competitors import Pair
from headstart.report.words.methods import method
from headstart.report.words.table import Rows, Table, titles
from headstart.wording.phrases import count, listed, some

CELL = ("start", "client", "server", "partition", "devices", "local_epochs")
BEST = (
    "start", "client", "server", "repeat", "client_rate", "server_rate", "parameters", "accuracy",
    "edge",
)  # fmt: skip
ALL = (
    *CELL, "repeat", "trial", "status", "rounds", "client_rate", "server_rate", "parameters",
    "accuracy", "loss", "best", "tied",
)  # fmt: skip

Trial = Mapping[str, Any]
"""A row of trials.parquet."""


@dataclass(frozen=True)
class TuningNotes:
    """`budget` says what each search was given; `warnings` what to know before trusting the
    rates; `tied`: where trials could not be told apart, empty where they could.
    """

    budget: str
    warnings: list[str]
    tied: str
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
    return TuningNotes(
        budget(searches), warnings(searches), tied(searches), best(searches), all_of(trials)
    )


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
    repeats = 1 + max(trials[0]["repeat"] for trials in searches)
    combinations = len(searches) // repeats
    often = f" {repeats} times" if repeats > 1 else ""
    return (
        f"{count(combinations, 'combination')} of start and pair tuned{often} with {each} of "
        f"{on_seeds}: "
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
    where = f"lies at an end of its range for {listed(dict.fromkeys(of))}"
    return f"The best {what} {where}: a wider range could do better."


def tied(searches: Sequence[Sequence[Trial]]) -> str:
    """Where half of the finished trials or more lie within one validation row of the best.

    A few ties among good trials are usual; where most of them tie, what the clients learned does
    not depend on the rates, or is nothing: a constant answer ties with itself.
    """
    where: dict[str, list[str]] = {}
    for trials in searches:
        others = sum(trial["status"] == "finished" for trial in trials) - 1
        ties = sum(trial["tied"] for trial in trials)
        if ties and 2 * ties >= others:
            where.setdefault(_name(trials[0]), []).append(f"{ties} of {count(others, 'other')}")
    if not where:
        return ""
    said = [f"{name} ({', '.join(found)})" for name, found in where.items()]
    each = ", in each tuning," if max(map(len, where.values())) > 1 else ""
    return (
        f"The tuning could not choose: within one row of the validation part of the best trial "
        f"lie{each} those for {some(said)}."
    )


def best(searches: Sequence[Sequence[Trial]]) -> Table:
    """A row for the best trial of each search."""
    rows = Rows(*titles(BEST), "trials", "pruned", "tied")
    for trials in searches:
        pruned = sum(trial["status"] == "pruned" for trial in trials)
        ties = sum(trial["tied"] for trial in trials)
        for trial in trials:
            if trial["best"]:
                rows.add(*[trial[name] for name in BEST], len(trials), pruned, ties)
    return rows.table("tuned", "The best trial of every start and pair", "accuracy")


def all_of(trials: Sequence[Trial]) -> Table:
    """A row for each trial."""
    rows = Rows(*titles(ALL))
    for trial in trials:
        rows.add(*[trial[name] for name in ALL])
    return rows.table("trials", "All trials", "accuracy")


def _name(trial: Trial) -> str:
    pair = Pair(trial["client"], trial["server"])
    return f"{method(pair)} from {trial['start']}"
