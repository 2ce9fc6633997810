"""Looks at a study that grows: how much of the error each may spend, and at what level it tests.

A study that is looked at after every seed, each time at 5 %, errs far more often than 5 %. So the
looks are planned: an error-spending function says how much of the study's error is spent up to
each, and the level at which a look tests is what makes the chance to err by then just that.

Sources: Lan and DeMets, Biometrika 70 (1983), error spending; Hwang, Shih and De Cani, Statist.
Med. 9 (1990), the family of spending functions; Armitage, McPherson and Rowe, J. R. Statist. Soc. A
132 (1969), the recursion; Jennison and Turnbull, Group Sequential Methods (2000), chapters 4
(levels of known variance serve for t statistics), 7 (spending), 9 (repeated intervals), and 19.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headstart.statistics.roots import root

LEVEL = 0.05
"""What a study may err by in all its claims together, however often it is looked at."""

ONE_LOOK = 0.04
"""Of that, what a study with one planned look spends there: the rest is for growing unplanned."""

GAMMA = -1.6
"""Of the spending function: negative spends little early. Ours, from simulated studies."""

POINTS = 201
"""Of the grid on which a density is followed from look to look."""


@dataclass(frozen=True)
class Looks:
    """The looks of a study: after how many seeds, and the error spent up to each.

    `seeds` increase; `spent` never falls and ends at `LEVEL` at most.
    """

    seeds: tuple[int, ...]
    spent: tuple[float, ...]


def spending(fraction: float) -> float:
    """The share of the error that is spent after a fraction of the seeds: of Hwang, Shih and De
    Cani, `(1 - exp(-gamma t)) / (1 - exp(-gamma))`.

    >>> spending(0.0), spending(1.0), round(spending(0.5), 3)
    (0.0, 1.0, 0.31)
    """
    return math.expm1(-GAMMA * fraction) / math.expm1(-GAMMA)


def until_decided(first: int, at_most: int) -> Looks:
    """A look after `first` seeds and after each further one, to `at_most`."""
    seeds = tuple(range(first, at_most + 1))
    return Looks(seeds, tuple(LEVEL * spending(n / at_most) for n in seeds))


def one_look(seeds: int) -> Looks:
    """The look at a study whose seeds were listed beforehand."""
    return Looks((seeds,), (ONE_LOOK,))


def grown(taken: Looks, seeds: tuple[int, ...]) -> Looks:
    """The looks taken, and further ones that nobody planned: they share what is left.

    seeds: of the further looks, each more than the last taken.
    """
    at, before = taken.seeds[-1], taken.spent[-1]
    spent = list(taken.spent)
    for n in seeds:
        spent.append(before + (LEVEL - before) * spending((n - at) / (seeds[-1] - at)))
    return Looks((*taken.seeds, *seeds), tuple(spent))


def late(looks: Looks) -> Looks:
    """The same looks with less of the error spent early, for claims that end no study.

    The first look spends what it did; of the rest the cube of the share that was spent. Early, the
    long tail of a skewed law has not shown yet.

    >>> late(Looks((10, 15, 20), (0.0, 0.025, 0.05)))
    Looks(seeds=(10, 15, 20), spent=(0.0, 0.00625, 0.05))
    """
    return _reshaped(looks, lambda share: share**3)


def held_back(looks: Looks) -> Looks:
    """The same looks with half of the error kept for the last of them, for claims that share it.

    The first look spends what it did; of the rest half by the sixth power of the share that was
    spent. A comparison that has a small share errs at hardly two looks at once, so that what is
    spent early is missing at the end.

    >>> [round(spent, 4) for spent in held_back(Looks((10, 15, 20), (0.0, 0.025, 0.05))).spent]
    [0.0, 0.0129, 0.05]
    """
    return _reshaped(looks, lambda share: (share + share**6) / 2)


def _reshaped(looks: Looks, shape: Callable[[float], float]) -> Looks:
    """The same looks, with another share of what is left after the first of them spent at each."""
    first = looks.spent[0]
    rest = LEVEL - first
    spent = [first + rest * shape((s - first) / rest) if rest > 0 else s for s in looks.spent]
    return Looks(looks.seeds, tuple(spent))


@lru_cache(maxsize=1024)
def levels(looks: Looks, share: float = 1.0) -> tuple[float, ...]:
    """The two-sided level of the test at each look, for a comparison that has this share of the
    error.

    For a mean of independent normal values, the chance that a test of a true null hypothesis has
    rejected at any look up to the k-th is `share * spent[k]`. A look that spends nothing has level
    0.

    >>> looks = Looks((10, 20), (0.025, 0.05))
    >>> [round(level, 4) for level in levels(looks)]
    [0.025, 0.0336]
    """
    found = []
    sums, weights = np.zeros(1), np.ones(1)  # the law of the sum so far, on a grid
    at, before = 0, 0.0
    for n, spent in zip(looks.seeds, looks.spent, strict=True):
        deviation = math.sqrt(n - at)
        edge = _edge(sums, weights, deviation, share * (spent - before), math.sqrt(n))
        found.append(float(2 * special.ndtr(-edge / math.sqrt(n))))
        sums, weights = _carried(sums, weights, deviation, min(edge, 9 * math.sqrt(n)))
        at, before = n, spent
    return tuple(found)


def _edge(
    sums: NDArray[np.float64],
    weights: NDArray[np.float64],
    deviation: float,
    error: float,
    scale: float,
) -> float:
    """The edge beyond which the next sum lies with this chance; infinite where it is 0."""
    if error <= 0:
        return math.inf

    def excess(edge: float) -> float:
        beyond = special.ndtr((sums - edge) / deviation) + special.ndtr(-(sums + edge) / deviation)
        return float(weights @ beyond) - error

    return root(excess, 0.0, 40 * scale, xtol=1e-10)


def _carried(
    sums: NDArray[np.float64], weights: NDArray[np.float64], deviation: float, edge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The law of the next sum within its edges, by Gauss and Legendre's rule."""
    nodes, rule = _rule()
    following = edge * nodes
    steps = (following[:, None] - sums[None, :]) / deviation
    density = np.exp(-0.5 * steps**2) @ weights / (deviation * math.sqrt(2 * math.pi))
    return following, density * edge * rule


@lru_cache(maxsize=1)
def _rule() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.polynomial.legendre.leggauss(POINTS)
