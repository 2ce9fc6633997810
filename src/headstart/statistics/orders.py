"""Orders of the pairs of optimizers: ranks, and how far two orders agree.

Sources: Kendall, Biometrika 30 (1938) and 33 (1945), tau and its form with ties; Efron, Ann.
Statist. 7 (1979), the bootstrap; Hoeffding, Ann. Math. Statist. 19 (1948), the variance of a mean
over couples. Shapes: P pairs of optimizers, S seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.intervals import LEVEL, Estimate, t_interval

Scores = NDArray[np.float64]
"""[P, S], larger is better; NaN where a run diverged."""
ORDER_SEEDS = 3
"""At least, for the noise of an order to be seen."""


def ranks(values: Sequence[float]) -> list[float]:
    """Rank 1 is the largest; ties share their mean rank; NaN (diverged) shares the last ranks.

    >>> ranks([0.9, 0.5, 0.9, float("nan")])
    [1.5, 3.0, 1.5, 4.0]
    """
    x = np.nan_to_num(np.asarray(values, dtype=float), nan=-np.inf)
    larger = (x[None, :] > x[:, None]).sum(axis=1)
    equal = (x[None, :] == x[:, None]).sum(axis=1)
    return (larger + (equal + 1) / 2).tolist()  # type: ignore[no-any-return]


def mean_ranks(scores_PS: Scores) -> list[float]:
    """Each pair's rank within a seed, averaged over the seeds."""
    ranks_SP = np.array([ranks(scores_P) for scores_P in np.asarray(scores_PS, dtype=float).T])
    return ranks_SP.mean(axis=0).tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau-b between two orders; of `pairs` couples, `swapped` stand the other way."""

    tau: float | None
    swapped: int
    pairs: int


def kendall(a: Sequence[float], b: Sequence[float]) -> Agreement:
    """tau_b = (C - D) / sqrt((C + D + T_a)(C + D + T_b)), and None where all are tied.

    NaN ranks below every number.

    >>> kendall([3, 2, 1], [3, 1, 2])
    Agreement(tau=0.3333333333333333, swapped=1, pairs=3)
    """
    x, y = np.asarray(ranks(a)), np.asarray(ranks(b))
    i, j = np.triu_indices(len(x), k=1)
    sx, sy = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
    concordant, discordant = int((sx * sy > 0).sum()), int((sx * sy < 0).sum())
    scale = math.sqrt(float((sx != 0).sum()) * float((sy != 0).sum()))
    return Agreement((concordant - discordant) / scale if scale else None, discordant, len(i))


def _taus(a_PS: Scores, b_PS: Scores) -> Scores:
    """`kendall` of every seed of one start with every seed of the other; NaN for its None."""
    signs_a_CS, signs_b_CS = _signs(a_PS), _signs(b_PS)
    untied_a_S, untied_b_S = np.abs(signs_a_CS).sum(axis=0), np.abs(signs_b_CS).sum(axis=0)
    scale_SS = np.sqrt(np.outer(untied_a_S, untied_b_S))
    with np.errstate(invalid="ignore"):
        taus: Scores = (signs_a_CS.T @ signs_b_CS) / scale_SS
    return taus


def _signs(scores_PS: Scores) -> Scores:
    """Which of each couple of pairs is better [C, S]: 1 the first, -1 the second, 0 for a tie."""
    ranks_PS = np.array([ranks(scores_P) for scores_P in scores_PS.T]).T
    i, j = np.triu_indices(len(scores_PS), k=1)
    return np.sign(ranks_PS[j] - ranks_PS[i])  # type: ignore[no-any-return]


def rank_change(a_PS: Scores, b_PS: Scores) -> tuple[Estimate | None, float | None, float | None]:
    """Do two starts order the pairs differently beyond the noise of the seeds?

    For each seed: tau with the other seeds of its own start, less tau with the other seeds of the
    other start, so that both are taken across seeds. Above 0: the start changes the order more than
    a seed does. Returns the estimate, the mean tau within and the mean tau between. The estimate is
    a mean over couples of seeds, of which each seed is in n - 1; the variance of such a mean is 4 /
    n times that of the seeds' values (Hoeffding, Eq. 5.13, without the term in 1 / n^2), where a
    plain mean has 1 / n. So the interval is that of the values with twice their spread. Where no
    start changes anything it says so at most at its level (a slow test simulates it).

    Nothing below `ORDER_SEEDS` seeds: both of two seeds have the same value by construction. NaN is
    a run that diverged, which ranks last in its own seed alone.
    """
    seeds = range(a_PS.shape[1])
    if len(seeds) < ORDER_SEEDS:
        return None, None, None
    in_a_SS, in_b_SS, across_SS = _taus(a_PS, a_PS), _taus(b_PS, b_PS), _taus(a_PS, b_PS)
    within, between = [], []
    for s in seeds:
        others = np.arange(len(seeds)) != s
        same = np.concatenate([in_a_SS[s, others], in_b_SS[s, others]])
        cross = np.concatenate([across_SS[s, others], across_SS[others, s]])
        within += [float(np.mean(same[~np.isnan(same)]))] if not np.isnan(same).all() else []
        between += [float(np.mean(cross[~np.isnan(cross)]))] if not np.isnan(cross).all() else []
    if len(within) < ORDER_SEEDS or len(within) != len(between):
        return None, None, None
    by_seed = np.subtract(within, between)
    # One couple that swaps in one seed, seen from another.
    step = 2 / math.comb(len(a_PS), 2) / (len(seeds) - 1)
    change = t_interval(by_seed.mean() + 2 * (by_seed - by_seed.mean()), step=2 * step)
    return change, float(np.mean(within)), float(np.mean(between))


@dataclass(frozen=True)
class OrderInterval:
    """Percentile bootstrap intervals, over seeds, of Kendall's tau and of how many couples swap."""

    tau: tuple[float, float] | None
    swapped: tuple[int, int]


def order_interval(
    a_PS: Scores, b_PS: Scores, generator: np.random.Generator, draws: int = 1000
) -> OrderInterval | None:
    """How far tau between two orders depends on which seeds were drawn, the same for both.

    None below `ORDER_SEEDS` seeds. Noise puts a couple that is close in either order, so it moves
    the number of swaps towards half of the couples, and tau towards 0: upwards where fewer are
    swapped, downwards where more are. Resampling adds noise a second time, so the percentile
    interval is biased towards tau = 0 and is not corrected: the measured tau can lie at the very
    end of it, most of all with three seeds, of which there are ten samples in all. `rank_change`,
    which is judged, holds tau against that noise.
    """
    n_seeds = a_PS.shape[1]
    if n_seeds < ORDER_SEEDS:
        return None
    picks = generator.integers(n_seeds, size=(draws, n_seeds))
    taus, swaps = [], []
    for pick in picks:
        agreement = kendall(a_PS[:, pick].mean(axis=1), b_PS[:, pick].mean(axis=1))
        swaps.append(agreement.swapped)
        if agreement.tau is not None:
            taus.append(agreement.tau)
    fewest, most = _ends(swaps)
    return OrderInterval(_ends(taus) if taus else None, (int(fewest), int(most)))


def _ends(draws: Sequence[float]) -> tuple[float, float]:
    """The ends of the percentile interval at `LEVEL`."""
    tails = [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2]
    low, high = np.percentile(draws, tails, method="inverted_cdf")
    return float(low), float(high)
