"""What was measured before the first round."""

import numpy as np

from headstart.report.runs.grid import Grid


def initial(grid: Grid, start: str, metric: str) -> dict[int, float]:
    """A metric before training by seed, mean over pairs (which all begin at the same weights)."""
    found: dict[int, list[float]] = {}
    for pair in grid.pairs():
        for seed, (rounds, values) in grid.curves(grid.cell(start, pair), metric).items():
            if len(rounds) and rounds[0] == 0:
                found.setdefault(seed, []).append(float(values[0]))
    return mean_of_each(found)


def mean_of_each(found: dict[int, list[float]]) -> dict[int, float]:
    """The mean of several values by seed, in the order of the seeds."""
    return {seed: float(np.mean(values)) for seed, values in sorted(found.items())}
