"""What the tables of a study support: paired differences, ranks, and how sure either is.

Every comparison is **paired by seed**: runs of one seed share clients, batches and order, so that their difference
carries less noise than either. Values are given as `BySeed`, a mapping from seed to value; only seeds that both sides
have are compared. Pure functions; a generator is an argument.

Sources: Student, Biometrika 6 (1908), the t interval; Holm, Scand. J. Statist. 6 (1979), the step-down correction;
Kendall, Biometrika 30 (1938) and 33 (1945), tau and its form with ties; Efron, Ann. Statist. 7 (1979), the bootstrap;
Hoeffding, Ann. Math. Statist. 19 (1948), the variance of a mean over couples; Tukey, 1953, that who compares with the
best compares all couples (Hochberg and Tamhane, Multiple Comparison Procedures, 1987, chapter 1);
Pitman, Biometrika 31 (1939), and Morgan, ibid., variances of paired values; Cohen, Statistical Power Analysis (1988),
section 2.4, the number of observations that decides.
Shapes: P pairs of optimizers, S seeds.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

BySeed = Mapping[int, float]
Scores = NDArray[np.float64]  # [P, S], larger is better; NaN where a run diverged
LEVEL = 0.95  # of every interval on the page; 1 - LEVEL is the level of every test
ORDER_SEEDS = 3  # at least, for the noise of an order to be seen


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds with its t interval; one seed, or seeds that all agree, give no interval and no p-value."""

    value: float
    low: float | None
    high: float | None
    n: int
    p: float | None = None

    @property
    def positive(self) -> bool:
        return self.low is not None and self.low > 0

    @property
    def negative(self) -> bool:
        return self.high is not None and self.high < 0


def negated(e: Estimate | None) -> Estimate | None:
    """The same difference seen from the other side."""
    if e is None:
        return None
    low, high = (None if v is None else -v for v in (e.high, e.low))
    return Estimate(-e.value, low, high, e.n, e.p)


def t_interval(values: Iterable[float], level: float = LEVEL, step: float | None = None) -> Estimate:
    """Student's interval `m ± t_{n-1} s / sqrt(n)` and the two-sided p-value of the mean being 0.

    What is counted in steps (test rows that are right, rounds to a target, couples that swap) ties easily, so that
    values without any spread are no certainty: they give neither interval nor p-value. Where the `step` is known, the
    standard deviation is taken for half of it at least, for less could not be seen. A step of 0 is that of a quantity
    which is measured and not counted (a loss, an eigenvalue): the same in every seed it is a point, and p is 0 or 1.

    It holds its level for normal values and, for differences of values that are skewed alike, is a little wide.
    Differences that are themselves skewed are covered less often: of exponential ones 88 to 90 % at 3 to 10 seeds (a
    slow test simulates both).

    >>> e = t_interval([1.0, 2.0, 3.0])
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (2.0, -0.484, 4.484)
    >>> t_interval([2.0]).low, t_interval([2.0, 2.0, 2.0]).p
    (None, None)
    """
    x = np.asarray(list(values), dtype=float)
    if x.size == 0:
        raise ValueError("expected at least one value, got none")
    mean = float(x.mean())
    if x.size == 1:
        return Estimate(mean, None, None, 1)
    df = x.size - 1
    error = max(float(x.std(ddof=1)), (step or 0.0) / 2) / math.sqrt(x.size)
    if error <= 1e-12 * abs(mean):  # rounding, not spread
        if step is None or x.size == 2:
            return Estimate(mean, None, None, x.size)
        return Estimate(mean, mean, mean, x.size, 0.0 if mean else 1.0)
    half = float(special.stdtrit(df, 0.5 + level / 2)) * error
    return Estimate(mean, mean - half, mean + half, x.size, float(2 * special.stdtr(df, -abs(mean) / error)))


def p_against(e: Estimate, value: float) -> float | None:
    """The two-sided p-value of the mean being `value`, from a t interval; None where there is no interval.

    >>> e = t_interval([1.0, 2.0, 3.0])
    >>> p_against(e, 0.0) == e.p, p_against(e, 2.0)
    (True, 1.0)
    """
    if e.low is None or e.high is None or value == 0:
        return e.p
    if e.low == e.high:  # without any spread
        return float(e.value == value)
    error = (e.high - e.low) / 2 / float(special.stdtrit(e.n - 1, 0.5 + LEVEL / 2))
    return float(2 * special.stdtr(e.n - 1, -abs(e.value - value) / error))


def differences(a: BySeed, b: BySeed) -> dict[int, float]:
    """`a - b` for every seed that both have.

    >>> differences({0: 3.0, 1: 5.0}, {1: 1.0, 2: 9.0})
    {1: 4.0}
    """
    return {seed: a[seed] - b[seed] for seed in sorted(a) if seed in b}


def paired_difference(a: BySeed, b: BySeed, *, step: float | None = None) -> Estimate | None:
    """The mean of `a - b` over common seeds with its interval; None where no seed is common. `step` as above."""
    d = differences(a, b)
    return t_interval(d.values(), step=step) if d else None


def difference_of_differences(a1: BySeed, a0: BySeed, b1: BySeed, b0: BySeed) -> Estimate | None:
    """`(a1 - a0) - (b1 - b0)` by seed: how much an effect (of IID, of epochs, ...) changes between two starts."""
    return paired_difference(differences(a1, a0), differences(b1, b0))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values: with the p sorted, `max_{j<=i} min(1, (m - j + 1) p_(j))`.

    Rejecting where the adjusted value is below 0.05 errs anywhere among the m with probability at most 0.05,
    whatever the dependence. None (one seed: no test) stays None, yet counts in m.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    m = len(p_values)
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * m
    running = 0.0
    for rank, (p, i) in enumerate(order):
        running = max(running, min(1.0, (m - rank) * p))
        adjusted[i] = running
    return adjusted


def couples(cells: Sequence[BySeed]) -> dict[tuple[int, int], tuple[Estimate, float | None]]:
    """(i, j), i < j -> the paired difference of cell i less cell j, and its p-value by Holm among all couples.

    Which pair is best is read off the same data, so that comparing the others with it alone, with a correction for
    P - 1, tells equal pairs apart too often: 9 % of the time for nine pairs and three seeds, 12 % for ten. Corrected
    for all P (P - 1) / 2 couples, whichever is picked, it does so at most in 5 %.
    """
    found = {}
    for i, j in itertools.combinations(range(len(cells)), 2):
        difference = paired_difference(cells[i], cells[j])
        if difference is not None:
            found[i, j] = difference
    adjusted = holm([difference.p for difference in found.values()])
    return {key: (found[key], p) for key, p in zip(found, adjusted, strict=True)}


def ranks(values: Sequence[float]) -> list[float]:
    """Rank 1 is the largest; ties share their mean rank; NaN (diverged) shares the last ranks.

    >>> ranks([0.9, 0.5, 0.9, float("nan")])
    [1.5, 3.0, 1.5, 4.0]
    """
    x = np.nan_to_num(np.asarray(values, dtype=float), nan=-np.inf)
    return [float((x > v).sum() + ((x == v).sum() + 1) / 2) for v in x]


def mean_ranks(scores_PS: Scores) -> list[float]:
    """Each pair's rank within a seed, averaged over the seeds."""
    per_seed = np.array([ranks(list(column)) for column in np.asarray(scores_PS, dtype=float).T])
    return [float(r) for r in per_seed.mean(axis=0)]


def probability_best(scores_PS: Scores, generator: np.random.Generator, draws: int = 2000) -> list[float]:
    """The share of bootstrap samples of the seeds in which a pair has the highest mean; ties share.

    Seeds are drawn once for all pairs, which keeps the pairing. A pair with a diverged run (NaN) is never best.
    With few seeds this is coarse (3 seeds: 10 distinct samples): read it as an order, not as a decimal.
    """
    scores = np.where(np.isnan(scores_PS).any(axis=1, keepdims=True), -np.inf, scores_PS)
    n_seeds = scores.shape[1]
    picks = generator.integers(n_seeds, size=(draws, n_seeds))
    means_DP = scores[:, picks].mean(axis=2).T
    best_DP = np.isclose(means_DP, means_DP.max(axis=1, keepdims=True), rtol=0, atol=1e-12) & np.isfinite(means_DP)
    share_DP = best_DP / np.maximum(best_DP.sum(axis=1, keepdims=True), 1)
    return [float(p) for p in share_DP.mean(axis=0)]


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau-b between two orders: of `pairs` couples, `swapped` stand the other way round."""

    tau: float | None
    swapped: int
    pairs: int


def kendall(a: Sequence[float], b: Sequence[float]) -> Agreement:
    """tau_b = (C - D) / sqrt((C + D + T_a)(C + D + T_b)); NaN ranks below every number; None where all are tied.

    >>> kendall([3, 2, 1], [3, 1, 2])
    Agreement(tau=0.3333333333333333, swapped=1, pairs=3)
    """
    x, y = (np.asarray(ranks(v)) for v in (a, b))
    i, j = np.triu_indices(len(x), k=1)
    sx, sy = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
    concordant, discordant = int((sx * sy > 0).sum()), int((sx * sy < 0).sum())
    scale = math.sqrt(float((sx != 0).sum()) * float((sy != 0).sum()))
    return Agreement((concordant - discordant) / scale if scale else None, discordant, len(i))


def _taus(a_PS: Scores, b_PS: Scores) -> Scores:
    """Kendall's tau of every seed of one start with every seed of the other, as `kendall` has it; NaN for its None."""
    i, j = np.triu_indices(len(a_PS), k=1)
    signs = [np.sign(np.subtract(*(_ranked(m)[k] for k in (j, i)))) for m in (a_PS, b_PS)]
    untied = [(np.abs(sign_CS)).sum(axis=0) for sign_CS in signs]
    scale_SS = np.sqrt(np.outer(*untied))
    with np.errstate(invalid="ignore"):
        taus: Scores = (signs[0].T @ signs[1]) / scale_SS
    return taus


def _ranked(scores_PS: Scores) -> Scores:
    """`ranks` of every seed."""
    return np.array([ranks(list(column)) for column in scores_PS.T]).T


def rank_change(a_PS: Scores, b_PS: Scores) -> tuple[Estimate | None, float | None, float | None]:
    """Do two starts order the pairs differently beyond the noise of the seeds?

    For each seed: tau with the other seeds of its own start, less tau with the other seeds of the other start, so that
    both are taken across seeds. Above 0: the start changes the order more than a seed does. Returns the estimate, the
    mean tau within and the mean tau between. The estimate is a mean over couples of seeds, of which each seed is in
    n - 1; the variance of such a mean is 4 / n times that of the seeds' values (Hoeffding, Eq. 5.13, without the term
    in 1 / n^2), where a plain mean has 1 / n. So the interval is that of the values with twice their spread. Where no
    start changes anything it says so at most at its level (a slow test simulates it).

    Nothing below `ORDER_SEEDS` seeds: both of two seeds have the same value by construction. NaN is a run that
    diverged, which ranks last in its own seed alone.
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
    step = 2 / math.comb(len(a_PS), 2) / (len(seeds) - 1)  # one couple that swaps in one seed, seen from another
    change = t_interval(by_seed.mean() + 2 * (by_seed - by_seed.mean()), step=2 * step)
    return change, float(np.mean(within)), float(np.mean(between))


def spread(cells: Sequence[BySeed]) -> dict[int, float]:
    """The standard deviation between pairs (ddof 1), for every seed that all of them have."""
    seeds = set.intersection(*(set(cell) for cell in cells)) if len(cells) > 1 else set()
    return {seed: float(np.std([cell[seed] for cell in cells], ddof=1)) for seed in sorted(seeds)}


def mean_over(cells: Sequence[BySeed]) -> dict[int, float]:
    """The mean over cells, for every seed that all of them have."""
    seeds = set.intersection(*(set(cell) for cell in cells)) if cells else set()
    return {seed: float(np.mean([cell[seed] for cell in cells])) for seed in sorted(seeds)}


def slope(x: Sequence[float], cells: Sequence[BySeed]) -> dict[int, float]:
    """The least-squares slope of a cell's value over `x`, by seed (x: log2 of the local epochs, so: per doubling).

    >>> slope([0, 1, 2], [{7: 5.0}, {7: 4.0}, {7: 3.0}])
    {7: -1.0}
    """
    centred = np.asarray(x, dtype=float) - np.mean(x)
    seeds = set.intersection(*(set(cell) for cell in cells)) if cells else set()
    weight = float((centred**2).sum())
    return {s: float((centred * [cell[s] for cell in cells]).sum()) / weight for s in sorted(seeds) if weight}


POWER = 0.8  # Cohen's convention: the chance that as many seeds decide, if the difference is as measured
MOST_SEEDS = 1000


def seeds_needed(estimate: Estimate, margin: float = 0.0, power: float = POWER, level: float = LEVEL) -> int | None:
    """Seeds after which a paired t test would tell the difference from `-margin`, were it and its spread as measured.

    `level`: of the test, `1 - 0.05 / m` where it is one of m.

    The smallest n with P(|T| > t_{n-1}) >= power, T noncentral t with n - 1 degrees of freedom and noncentrality
    sqrt(n) |mean + margin| / s. None for one seed, and above 1,000. What was measured is itself uncertain: an order of
    magnitude.

    >>> seeds_needed(t_interval([0.0, 2.0]))  # mean 1, s 1.41
    18
    """
    if estimate.low is None or estimate.high is None:
        return None
    half = (estimate.high - estimate.low) / 2
    distance = abs(estimate.value + margin)
    spread_ = half / float(special.stdtrit(estimate.n - 1, 0.5 + LEVEL / 2)) * math.sqrt(estimate.n)
    if not spread_ or not distance:
        return None if not distance else 3
    for n in range(2, MOST_SEEDS + 1):
        critical = float(special.stdtrit(n - 1, 0.5 + level / 2))
        shift = math.sqrt(n) * distance / spread_
        if shift - critical > 5:  # the power is 1 to six digits
            return n
        if 1 - special.nctdtr(n - 1, shift, critical) + special.nctdtr(n - 1, shift, -critical) >= power:
            return n
    return None


@dataclass(frozen=True)
class OrderInterval:
    """Percentile bootstrap intervals, over the seeds, of Kendall's tau and of the number of couples that swap."""

    tau: tuple[float, float] | None
    swapped: tuple[int, int]


def order_interval(
    a_PS: Scores, b_PS: Scores, generator: np.random.Generator, draws: int = 1000
) -> OrderInterval | None:
    """How far tau between two orders depends on which seeds were drawn; the same seeds for both, which keeps pairing.

    None below `ORDER_SEEDS` seeds. Noise puts a couple that is close in either order, so it moves the number of swaps
    towards half of the couples, and tau towards 0: upwards where fewer are swapped, downwards where more are. What was
    measured has been moved so once, and every resample once more, while the interval is not moved back. So what was
    measured can lie at the very end of it, most of all with three seeds, of which there are ten samples in all.
    `rank_change`, which is judged, holds tau against that noise.
    """
    n_seeds = a_PS.shape[1]
    if n_seeds < ORDER_SEEDS:
        return None
    picks = generator.integers(n_seeds, size=(draws, n_seeds))
    found = [kendall(list(a_PS[:, pick].mean(axis=1)), list(b_PS[:, pick].mean(axis=1))) for pick in picks]
    tails = [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2]
    taus = [agreement.tau for agreement in found if agreement.tau is not None]
    low, high = np.percentile([agreement.swapped for agreement in found], tails, method="inverted_cdf")
    ends = np.percentile(taus, tails, method="inverted_cdf") if taus else None
    return OrderInterval((float(ends[0]), float(ends[1])) if ends is not None else None, (int(low), int(high)))


def equal_spread(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The two-sided p-value of paired values (the pairs' means from two starts) having the same variance.

    Pitman and Morgan: variances are equal where sums and differences are uncorrelated,
    t = r sqrt(m - 2) / sqrt(1 - r^2) with m - 2 degrees of freedom, r = corr(a + b, a - b). Assumes normal values.
    None below three pairs, and where sums or differences do not vary, or only together.
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    total, difference = x + y, x - y
    if len(x) < 3 or not total.std() or not difference.std():
        return None
    r = float(np.corrcoef(total, difference)[0, 1])
    if abs(r) > 1 - 1e-12:
        return None
    t = r * math.sqrt(len(x) - 2) / math.sqrt(1 - r * r)
    return float(2 * special.stdtr(len(x) - 2, -abs(t)))
