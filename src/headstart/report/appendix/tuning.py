"""The tuning behind a study's rates: its budget, its best values, and whether any lies at an end of its range."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.report.runs.grid import Study
from headstart.report.words.numbers import count, listed
from headstart.report.words.table import Table

CELL = ("start", "client", "server", "partition", "devices", "local_epochs")


@dataclass(frozen=True)
class Tuning:
    """`budget` says what each search was given; `warnings` what a reader must know before trusting the rates."""

    budget: str
    warnings: list[str]
    best: Table
    trials: Table


def tuning(study: Study) -> Tuning | None:
    """What results/trials.parquet tells; None where nothing was tuned."""
    rows = study.results.trials
    if not rows:
        return None
    searches: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        searches.setdefault(row["search"], []).append(row)
    return Tuning(budget(searches), warnings(searches), best(searches), all_of(rows))


def budget(searches: Mapping[str, list[Mapping[str, Any]]]) -> str:
    """Counted in the stored trials, not read from the study file."""
    trials = sorted({len(rows) for rows in searches.values()})
    seeds = sorted({row["seeds"] for rows in searches.values() for row in rows})
    every = [row for rows in searches.values() for row in rows]
    lost = [
        f"{n} {status}"
        for status in ("pruned", "diverged", "failed")
        if (n := sum(r["status"] == status for r in every))
    ]
    each = f"{trials[0]} trials" if len(trials) == 1 else f"{trials[0]} to {trials[-1]} trials"
    same = "each got the same" if len(trials) == len(seeds) == 1 else "budgets differ"
    return (
        f"{count(len(searches), 'combination')} of start and pair tuned with {each} of "
        f"{listed(count(n, 'seed') for n in seeds)}: {same}. "
        f"Of {count(len(every), 'trial')}, {listed(lost) if lost else 'none was pruned and none diverged'}."
    )


def warnings(searches: Mapping[str, list[Mapping[str, Any]]]) -> list[str]:
    found = []
    if len({len(rows) for rows in searches.values()}) > 1:
        found.append("The budgets are not equal: compare starts and pairs with care, or run the study to its end.")
    edge: dict[str, list[str]] = {}
    for rows in searches.values():
        chosen = next((row for row in rows if row["best"]), None)
        if chosen is None:
            name = _name(rows[0])
            found.append(f"Every trial diverged for {name}: its rates are those of the study file. Try lower ranges.")
        for at in filter(None, (chosen["edge"] if chosen else "").split(", ")):
            edge.setdefault(at, []).append(_name(rows[0]))
    for at, names in edge.items():
        found.append(at_an_end(at.replace("_", " "), names))
    return found


def at_an_end(what: str, of: Sequence[str]) -> str:
    return f"The best {what} lies at an end of its range for {listed(of)}: a wider range could do better."


def best(searches: Mapping[str, list[Mapping[str, Any]]]) -> Table:
    names = ("start", "client", "server", "client_rate", "server_rate", "parameters", "accuracy", "edge")
    rows = [row for rows in searches.values() for row in rows if row["best"]]
    columns = {name.replace("_", " "): [row[name] for row in rows] for name in names}
    counts = {"trials": [len(rows) for rows in searches.values() if _any(rows)]}
    pruned = {"pruned": [sum(r["status"] == "pruned" for r in rows) for rows in searches.values() if _any(rows)]}
    return Table("tuned", "The best trial of every start and pair", columns | counts | pruned, frozenset(("accuracy",)))


def all_of(rows: tuple[Mapping[str, Any], ...]) -> Table:
    names = (*CELL, "trial", "status", "rounds", "client_rate", "server_rate", "parameters", "accuracy", "loss", "best")
    columns = {name.replace("_", " "): [row[name] for row in rows] for name in names}
    return Table("trials", "All trials", columns, frozenset(("accuracy",)))


def _any(rows: list[Mapping[str, Any]]) -> bool:
    return any(row["best"] for row in rows)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['client']} + {row['server']} from {row['start']}"
