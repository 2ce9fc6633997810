"""How fast runs are: rounds and bytes to the target, and accuracy over the rounds.

The rounds to the target are counted when a study's tables are gathered: `study/folder/outcome.py`.
"""

import numpy as np

from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import MEGABYTE

METRIC = "test_accuracy"


def reached(cell: Cell) -> int:
    """How many runs reached the target."""
    return len(_rounds_to_target(cell))


def reached_by_all(cell: Cell) -> bool:
    """Whether every run reached the target."""
    return reached(cell) == len(cell.runs)


def _rounds_to_target(cell: Cell) -> list[float]:
    """The rounds to the target of the runs that reached it."""
    return [run.rounds_to_target for run in cell.runs if run.rounds_to_target is not None]


def rounds_needed(cell: Cell) -> dict[int, float]:
    """Rounds to the target by seed; nothing where a run diverged.

    A run that never reached it counts with the rounds it ran: a lower bound.
    """
    found = {}
    for run in () if cell.diverged else cell.runs:
        needed = run.rounds if run.rounds_to_target is None else run.rounds_to_target
        if needed is not None:
            found[run.seed] = float(needed)
    return found


def rounds_by_repeat(cell: Cell) -> dict[int, float]:
    """`rounds_needed`, with seeds that share the rates of one tuning taken together."""
    return cell.over_repeats(rounds_needed(cell))


def median_rounds(cell: Cell) -> float | None:
    """The median over seeds, where every seed reached the target."""
    needed = _rounds_to_target(cell)
    return float(np.median(needed)) if needed and reached_by_all(cell) else None


def megabytes(cell: Cell) -> float | None:
    """Up and down, all clients, up to the target: the run's bytes in proportion to its rounds."""
    used = []
    for run in cell.runs:
        if run.rounds and run.rounds_to_target is not None:
            used.append(run.bytes_sent / run.rounds * run.rounds_to_target)
    return float(np.median(used)) / MEGABYTE if used and len(used) == len(cell.runs) else None


def share_of(cell: Cell, totals: dict[int, float | None], rounds: dict[int, float]) -> float | None:
    """Of each run's total, the share of so many rounds; the median over seeds.

    None where a run has no total or no rounds.

    Args:
        cell: the runs.
        totals: what each run used, by seed.
        rounds: how many rounds count, by seed.
    """
    used = []
    for run in cell.runs:
        total = totals[run.seed]
        if total and run.rounds:
            used.append(total * rounds[run.seed] / run.rounds)
    return float(np.median(used)) if len(used) == len(cell.runs) else None


def mean_over_rounds(grid: Grid, cell: Cell, metric: str = METRIC) -> dict[int, float]:
    """The mean of a metric over the rounds that were measured, by seed.

    Round 0 does not count: what a start has before training is no speed of training.
    """
    found = {}
    for seed, (rounds, values) in grid.curves(cell, metric).items():
        if (rounds > 0).any():
            found[seed] = float(values[rounds > 0].mean())
    return cell.over_repeats(found)


def there_before_training(cell: Cell) -> bool:
    """Whether every run was at the target before its first round."""
    return all(run.rounds_to_target == 0 for run in cell.runs)
