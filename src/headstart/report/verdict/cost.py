"""What the choice costs: rounds, bytes in all and for each client, and simulated seconds."""

import numpy as np

from headstart.report.measures.speed import reached, rounds_needed, share_of
from headstart.report.panels.speedup import between_measurements
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import MEGABYTE, percent, size
from headstart.wording.phrases import count, listed

ASSUMED = "Bytes are counted both ways and uncompressed, seconds are those of the study's devices."

CLOSELY = 2
"""Digits of what is sent and of simulated seconds: no plan needs more of a simulation."""


def what_it_costs(grid: Grid, cell: Cell) -> str:
    """Rounds, bytes and simulated seconds to the target, or of whole runs; medians over seeds.

    cell: the runs of the start and the pair that are to be taken.
    """
    if cell.diverged:
        return ""
    rounds = {seed: float(ran or 0) for seed, ran in cell.by_seed("rounds").items()}
    goal, note = "for the whole run", ""
    if grid.target is not None:
        target = percent(grid.target, 0)
        if reached(cell) < len(cell.runs):
            runs = count(len(cell.runs), "run")
            note = f" ({target} is reached by {reached(cell)} of {runs})"
        else:
            rounds, goal = rounds_needed(cell), f"to {target}{_measured_every(grid)}"
            if not any(rounds.values()):
                named = f"{method(cell.pair)} from {cell.start}"
                return f"{named} is at {target} before the first round."
    median = float(np.median(list(rounds.values())))
    sent = share_of(cell, cell.by_seed("bytes_sent"), rounds)
    seconds = share_of(cell, cell.by_seed("simulated_seconds"), rounds)
    parts = [f"{median:g} rounds"]
    if sent is not None:
        parts.append(f"{size(sent / MEGABYTE, CLOSELY)} MB in all")
    if seconds is not None:
        parts.append(f"{size(seconds, CLOSELY)} simulated seconds")
    each = for_each_client(grid, median, sent) if sent is not None else ""
    return (
        f"{method(cell.pair)} from {cell.start} costs {listed(parts)} {goal}, in the median over "
        f"seeds{note}.{each} {ASSUMED}"
    )


def _measured_every(grid: Grid) -> str:
    """How closely rounds to a target are known."""
    every = between_measurements(grid)
    return f" (accuracy was measured every {count(every, 'round')})" if every else ""


def for_each_client(grid: Grid, rounds: float, sent: float) -> str:
    """In how many of the rounds a client takes part, and how much it sends and receives in each;
    empty where that is not known.
    """
    settings = grid.records.settings
    cohort, population = settings.get("cohort"), settings.get("population")
    if not isinstance(cohort, int) or not cohort or not rounds:
        return ""
    message = f"{size(sent / MEGABYTE / cohort / rounds, CLOSELY)} MB"
    if not isinstance(population, int) or population < cohort:
        return f" A client sends and receives {message} in each of its rounds."
    part = size(rounds * cohort / population, CLOSELY)
    taking_part = f"A client takes part in {part} of them on average"
    return f" {taking_part}, and sends and receives {message} each time."
