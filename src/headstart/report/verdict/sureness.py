"""How sure a verdict is, and what so few runs cannot exclude."""

from collections.abc import Mapping

import numpy as np

from headstart.report.appendix.choice_of_rates import picked_on_test
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.verdict.other_rows import OtherRows, judged_on
from headstart.report.verdict.sentences import in_points
from headstart.report.words.numbers import percent
from headstart.statistics.joint.sequential import LEVEL
from headstart.wording.phrases import count, listed

FAR, FACTOR = 0.1, 5.0
"""A run has collapsed that ends so much of accuracy below the median of its cell, and by so many
times the median distance from it. Ours.
"""


def how_sure(grid: Grid, start: str, of_rows: OtherRows | None = None) -> str:
    """At which look it was claimed, at which rates, of which rows, and which runs have collapsed.

    Args:
        grid: the study's cells.
        start: the one that is chosen.
        of_rows: what other rows could change.
    """
    last = grid.decided.last
    if last is None or grid.best(start) is None:
        return ""
    looks = grid.decided.plan.looks.seeds
    look = looks.index(last.seeds) + 1
    planned = "the only look" if len(looks) == 1 else f"look {look} of at most {len(looks)}"
    this = f"this was {planned}, at {count(last.seeds, grid.decided.unit)}"
    runs, fallen = runs_and_fallen(grid)
    seen = collapses(runs, fallen) if any(fallen.values()) else ""
    judged = of_rows or judged_on(grid)
    rows = judged.sentence if judged else ""
    said = [in_how_many(grid, this), rows, changed_margin(grid), seen]
    return " ".join(filter(None, said))


def changed_margin(grid: Grid) -> str:
    """That the margin is another one than at earlier looks; empty where it is not."""
    earlier = dict.fromkeys(grid.records.earlier_margins)
    if not earlier:
        return ""
    return (
        f"The margin was {listed(map(in_points, earlier))} at looks that were taken before, and "
        f"was changed to {in_points(grid.margin)} when there were results: it was not stated "
        "before them, as what is said of differences that do not matter supposes."
    )


def what_is_unseen(grid: Grid) -> str:
    """What so few runs cannot exclude where none of them has collapsed."""
    runs, fallen = runs_and_fallen(grid)
    return collapses(runs, fallen) if runs and not any(fallen.values()) else ""


def runs_and_fallen(grid: Grid) -> tuple[dict[str, int], dict[str, int]]:
    """The runs of each start's best pair, and how many of them have collapsed."""
    runs, fallen = {}, {}
    for start in grid.decided.starts:
        cell = grid.best(start)
        if cell is not None:
            runs[start], fallen[start] = len(cell.runs), collapsed(cell)
    return runs, fallen


def in_how_many(grid: Grid, this: str) -> str:
    """In how many studies like it all that is claimed is true, by where its rates are from.

    this: at which look it is claimed.
    """
    share, claimed = percent(1 - LEVEL, 0), "all that is claimed here is true"
    if picked_on_test(grid):
        return (
            "Rates were picked by what judges them here, which flatters whatever was given more of "
            f"them: in how many such studies {claimed} is not known ({this})."
        )
    repeats = grid.records.repeats
    if repeats > 1:
        return (
            f"In {share} of such studies {claimed}, however often one looks ({this}): the rates "
            f"were tuned {repeats} times, and all is said over what they came to."
        )
    if repeats:
        return (
            f"At these rates, which were tuned once, {claimed} in {share} of such studies, however "
            f"often one looks ({this}); another tuning may find others, for which nothing is said."
        )
    return (
        f"In {share} of such studies {claimed}, however often one looks ({this}), at the rates of "
        "the study file."
    )


def collapsed(cell: Cell) -> int:
    """How many runs of a cell end far below the others."""
    values = np.array([run.test_accuracy for run in cell.runs if run.test_accuracy is not None])
    if not len(values):
        return 0
    below = np.median(values) - values
    return int((below > max(FAR, FACTOR * float(np.median(np.abs(below))))).sum())


def collapses(runs: Mapping[str, int], fallen: Mapping[str, int]) -> str:
    """What share of runs may collapse although none did, or that some did.

    Args:
        runs: of the best pair, by start.
        fallen: how many of them have collapsed, likewise.

    >>> collapses({"random": 3}, {"random": 0})
    '3 runs went well; so few cannot rule out that up to 63% of runs collapse.'
    >>> collapses({"random": 20, "proxy": 20}, {"random": 0, "proxy": 6})
    'Of 20 runs from proxy 6 ended far below the others: where runs collapse at times, claims are \
false more often.'
    """
    told = []
    for start, many in fallen.items():
        if many:
            told.append(f"of {count(runs[start], 'run')} from {start} {many}")
    if told:
        return (
            f"O{listed(told)[1:]} ended far below the others: where runs collapse at times, claims "
            "are false more often."
        )
    fewest = min(runs.values())
    most = percent(1 - LEVEL ** (1 / fewest), 0)
    few = f"so {'few' if fewest > 1 else 'little'} cannot rule out that up to {most} of runs"
    if len(runs) == 1:
        return f"{count(fewest, 'run')} went well; {few} collapse."
    return (
        f"{count(fewest, 'run')} from each start went well; {few} from one of them collapse, and "
        "where some do, claims are false more often."
    )
