"""How sure a verdict is, and what so few runs cannot exclude."""

from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import percent
from headstart.statistics.joint.sequential import LEVEL
from headstart.wording.phrases import count


def how_sure(grid: Grid, start: str) -> str:
    """At which look it was claimed, at which rates, and how often runs may still collapse."""
    last, cell = grid.decided.last, grid.best(start)
    if last is None or cell is None:
        return ""
    looks = grid.decided.plan.looks.seeds
    look = looks.index(last.seeds) + 1
    planned = "the only look" if len(looks) == 1 else f"look {look} of at most {len(looks)}"
    claims = (
        f"In {percent(1 - LEVEL, 0)} of such studies all that is claimed here is true, however "
        f"often one looks (this was {planned}, at {count(last.seeds, grid.decided.unit)})."
    )
    return " ".join([claims, collapses(len(cell.runs)), at_which_rates(grid)])


def collapses(runs: int) -> str:
    """What share of runs may collapse although none of so many did.

    >>> collapses(3)
    '3 runs went well; so few cannot rule out that up to 63% of runs collapse.'
    """
    most = percent(1 - LEVEL ** (1 / runs), 0)
    few = f"so {'few' if runs > 1 else 'little'} cannot rule out"
    return f"{count(runs, 'run')} went well; {few} that up to {most} of runs collapse."


def at_which_rates(grid: Grid) -> str:
    """Where the rates are from: what is claimed is claimed at these."""
    picked = [cells for (_, _, at), cells in grid.rates.items() if at == grid.base]
    if any(len(cells) > 1 for cells in picked):
        return (
            "Rates were picked on the runs that are judged, which flatters whatever was given more "
            "of them."
        )
    repeats = grid.records.repeats
    if repeats > 1:
        return f"The rates were tuned {repeats} times, and all is said over what they came to."
    if repeats:
        return "All this holds at rates that were tuned once: another tuning may find others."
    return "All this holds at the rates of the study file."
