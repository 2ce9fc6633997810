"""Means over seeds, and what several cells have in common by seed: their mean and slope."""

from collections.abc import Sequence

import numpy as np

from headstart.statistics.intervals import BySeed


def mean(by_seed: BySeed) -> float | None:
    """The mean over seeds; None where there are none."""
    return float(np.mean(list(by_seed.values()))) if by_seed else None


def mean_over(cells: Sequence[BySeed]) -> dict[int, float]:
    """The mean over cells, for every seed that all of them have."""
    return {seed: float(np.mean(values)) for seed, values in _by_seed(cells).items()}


def _by_seed(cells: Sequence[BySeed]) -> dict[int, list[float]]:
    """The values of the cells, one a cell, of every seed that all of them have."""
    seeds = set.intersection(*map(set, cells)) if cells else set()
    values: dict[int, list[float]] = {}
    for seed in sorted(seeds):
        values[seed] = [cell[seed] for cell in cells]
    return values


def slope(x: Sequence[float], cells: Sequence[BySeed]) -> dict[int, float]:
    """The least-squares slope of a cell's value over `x`, by seed.

    Where x is the log2 of the local epochs, it is the change per doubling.

    >>> slope([0, 1, 2], [{7: 5.0}, {7: 4.0}, {7: 3.0}])
    {7: -1.0}
    """
    centred = np.asarray(x, dtype=float) - np.mean(x)
    weight = float((centred**2).sum())
    if not weight:
        return {}
    slopes = {}
    for seed, values in _by_seed(cells).items():
        slopes[seed] = float((centred * values).sum()) / weight
    return slopes
