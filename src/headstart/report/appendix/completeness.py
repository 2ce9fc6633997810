"""What a study lacks: runs that diverged or failed, seeds and starts that are missing,
accuracies.
"""

import operator
from collections import Counter
from collections.abc import Mapping

from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.table import Rows, Table, titles
from headstart.wording.phrases import count, listed

DIVERGED = (
    "start", "trainable", "client", "server", "partition", "devices", "local_epochs", "client_rate",
    "server_rate", "seed", "status", "diverged_at",
)  # fmt: skip
FEW_SEEDS = {
    1: "One seed gives no interval, so nothing here is decided: run three or more.",
    2: "Two seeds give very wide intervals (one degree of freedom): run three or more.",
}
TWO_REPEATS = (
    "Two repeats of the tuning give very wide intervals (one degree of freedom), however many "
    "seeds they are run with: tune three times or more."
)


def lost(grid: Grid) -> dict[str, int]:
    """How many runs have no result, by what came of them: diverged, failed."""
    counts = Counter(run.status for run in grid.records.runs if not run.finished)
    counts["failed"] += len(grid.records.failed)
    return {status: counts[status] for status in sorted(counts) if counts[status]}


def failures(grid: Grid) -> str:
    """One line where runs failed, and why; empty where none did."""
    why = Counter(grid.records.failed.values())
    told = listed(f"{count(n, 'run')} ({reason})" for reason, n in why.items())
    return f"Not in the numbers, as they failed: {told}." if told else ""


def diverged(grid: Grid) -> Table | None:
    """The runs that have a row and did not finish."""
    rows, statuses = Rows(*titles(DIVERGED)), set()
    for run in grid.records.runs:
        if not run.finished:
            rows.add(*operator.attrgetter(*DIVERGED)(run))
            statuses.add(run.status)
    caption = f"Runs that {' or '.join(sorted(statuses))}"
    return rows.table("diverged", caption) if rows else None


def missing(grid: Grid) -> str:
    """One line where runs have not ended, or cells lack seeds or starts; empty where it is
    whole.
    """
    ended, planned = len(grid.records.runs), grid.records.planned
    if planned is not None and ended < planned:
        parts = [f"{ended} of {count(planned, 'run')} have ended"]
    else:
        parts = _gaps(grid)
    if not parts:
        return ""
    said = "This study is not complete"
    if planned == ended:
        said = "Not every start has all runs"
    compared = "Pairs are compared where every start has them." + short_pairs(grid)
    return f"{said}: {listed(parts)}. {compared}"


def _gaps(grid: Grid) -> list[str]:
    """What the cells lack of a whole grid.

    A study that runs until it has decided leaves runs out on purpose: further seeds of pairs that
    are worse or one with another, and of other settings.
    """
    given = grid.records.settings.get("seeds")
    seeds = set(grid.seeds)
    if isinstance(given, Mapping) and not grid.decided.missing:
        seeds = set()
    elif isinstance(given, list) and {int} >= set(map(type, given)):
        seeds = set(given)
    short = sum(len(seeds - cell.seeds) for cell in grid.cells.values())
    lone = len(grid.places()) * len(grid.starts) - len(grid.cells)
    parts = []
    if short:
        parts.append(
            f"{count(short, 'run')} of other seeds {'is' if short == 1 else 'are'} missing"
        )
    if lone:
        combinations = count(lone, "combination")
        parts.append(f"{combinations} of start, pair and setting without any run")
    return parts


def short_pairs(grid: Grid) -> str:
    """The pairs of the base setting that are not ranked or averaged, for they lack seeds."""
    compared = grid.comparable()
    short = []
    for pair in grid.pairs():
        if pair not in compared:
            seeds = grid.common_seeds(pair, [grid.base])
            short.append(f"{method(pair)} ({count(len(seeds), 'seed')})")
    why = "Left out of ranks and means, for fewer seeds from every start"
    return f" {why}: {listed(short)}." if short else ""


def unused_clients(grid: Grid) -> str:
    """One line where the study named clients of its own, and no run deals them their rows."""
    unused = [run.unused_clients for run in grid.records.runs]
    if not all(unused):
        return ""
    others = grid.records.settings.get("population")
    return (
        f"The {unused[0]} clients that the study names are not used, {others} made-up ones have "
        "their rows: write partitions: natural."
    )


def unmeasured(grid: Grid) -> str:
    """One line where no run has an accuracy though none of them diverged."""
    why = "Accuracy was not measured: add the probe evaluation to the study file."
    return "" if grid.measured else why


def few_seeds(grid: Grid) -> str:
    """One line where there are too few seeds for an interval, or for one that is of use."""
    if grid.independent < len(grid.seeds):
        return TWO_REPEATS if grid.independent == 2 else ""
    return FEW_SEEDS.get(len(grid.seeds), "")
