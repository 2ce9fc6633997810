"""What the choice costs: rounds, bytes for each client and in all, and simulated seconds."""

import numpy as np

from headstart.report.measures.speed import reached, rounds_needed, share_of
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent, size
from headstart.wording.phrases import count, listed


def what_it_costs(grid: Grid, start: str) -> str:
    """Rounds, bytes and simulated seconds to the target, or of whole runs; medians over seeds."""
    cell = grid.best(start)
    if cell is None or cell.diverged:
        return ""
    rounds = {seed: float(ran or 0) for seed, ran in cell.by_seed("rounds").items()}
    goal, note = "for the whole run", ""
    if grid.target is not None:
        target = percent(grid.target, 0)
        if reached(cell) < len(cell.runs):
            runs = count(len(cell.runs), "run")
            note = f" ({target} is reached by {reached(cell)} of {runs})"
        else:
            rounds, goal = rounds_needed(cell), f"to {target}"
            if not any(rounds.values()):
                return f"{method(cell.pair)} from {start} is at {target} before the first round."
    median = float(np.median(list(rounds.values())))
    parts = [f"{median:g} rounds", *_used(grid, cell, rounds, median)]
    return (
        f"{method(cell.pair)} from {start} costs {listed(parts)} {goal}, in the median over "
        f"seeds{note}. Bytes: uncompressed, both ways, with what else a method sends. Seconds: of "
        "the study's devices, not of this computer."
    )


def _used(grid: Grid, cell: Cell, rounds: dict[int, float], median: float) -> list[str]:
    """The bytes and the simulated seconds of so many rounds, where they are known."""
    parts = []
    sent = share_of(cell, cell.by_seed("bytes_sent"), rounds)
    cohort = grid.records.settings.get("cohort")
    if sent is not None:
        each = ""
        if isinstance(cohort, int) and cohort and median:
            message = size(sent / 1e6 / cohort / median)
            each = f" ({message} MB for each client in each of its rounds)"
        parts.append(f"{size(sent / 1e6)} MB in all{each}")
    seconds = share_of(cell, cell.by_seed("simulated_seconds"), rounds)
    if seconds is not None:
        parts.append(f"{size(seconds)} simulated seconds")
    return parts
