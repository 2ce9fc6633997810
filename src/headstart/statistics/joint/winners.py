"""How much of the best mean is luck, and the chances of each pair to be the best.

The highest of many means is too high: of twelve equal pairs at three seeds with a standard
deviation of 2 points, by 1.9. No rule that lowers it is nearer to the truth for every truth there
is: where one is better by three standard errors, what takes the luck off in the one case takes a
point too much off in the other. So the mean stays what it is, and beside it stands how much of it
would be luck if all were equal, which is when luck is most.

Sources: Dawid, Bayesian Statistics 5 (1994), selection paradoxes, what a mean is too high by for
having been selected; Lindley and Smith, J. R. Statist. Soc. B 34 (1972), the hierarchical model of
means that are alike.

Shapes: C contenders, P pairs, N seeds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headstart.statistics.joint.moderated import moderated

Floats = NDArray[np.float64]

SHRINKAGES = np.linspace(0.02, 1.0, 50)
"""The shares of the spread between means that noise may have: uniform beforehand (Strawderman, Ann.
Math. Statist. 42, 1971), so that small differences are as likely as large ones.
"""

ALIKE = 0.5
"""The chance beforehand that pairs do not differ at all."""

NODES = 61
"""Of the rule by which chances are summed."""

RIVALS = 5.0
"""Only pairs within so many standard errors of the best say how much such pairs differ: one that
is far worse does not make the others less alike.
"""


def luck(values: Floats) -> Floats:
    """By how much the mean of each contender [C] is too high where it comes out highest, were all
    of them truly equal.

    A mean that varies little owes little to luck, also among others that vary much: the mean of
    each is normal with a standard error of its own. What seeds do to all alike is no luck of one.

    Args:
        values: final accuracies of the contenders [C, N], finite in every seed.
    """
    many, seeds = values.shape
    if many < 2 or seeds < 2:
        return np.zeros(many)
    variances, _ = moderated(
        _own_variances(values)[None], np.ones((1, many), bool), seeds - 1, many
    )
    errors = np.sqrt(variances[0] / seeds)
    nodes, rule = np.polynomial.legendre.leggauss(NODES)
    at = 6 * errors[:, None] * nodes  # [C, nodes]: where the mean of each may lie
    below = np.log(
        np.maximum(special.ndtr(at[:, None] / np.maximum(errors[:, None], 1e-12)), 1e-300)
    )
    others = below.sum(axis=1) - np.diagonal(below).T  # all others lie below it
    weights = np.exp(others - others.max(axis=1, keepdims=True) - 18 * nodes**2) * rule
    found: Floats = (weights * at).sum(axis=1) / weights.sum(axis=1)
    return found


def _own_variances(values: Floats) -> Floats:
    """The variances [C] over seeds, less what all contenders have in common: as much of each as is
    left of their sum where the effect of the seed on all is removed.
    """
    variances: Floats = values.var(axis=1, ddof=1)
    apart = _variances(values)
    return variances * float(apart.sum()) / max(float(variances.sum()), 1e-300)


@dataclass(frozen=True)
class NoiseShare:
    """How alike the best of a start's pairs are: what share of the spread of their means is noise.

    rivals: the places of the pairs that are near the best. variance: of the mean of one. weights:
    of `SHRINKAGES`, the last of which says that the pairs do not differ.
    """

    rivals: NDArray[np.int_]
    variance: float
    weights: Floats


def noise_share(values: Floats) -> NoiseShare | None:
    """How alike pairs are that are finite in every seed [P, N]; None where nothing says so."""
    means = values.mean(axis=1)
    order = np.argsort(-means, kind="stable")
    usual = math.sqrt(float(np.median(_variances(values))) / values.shape[1])
    count = max(int(np.sum(means >= means.max() - RIVALS * usual)), min(2, len(values)))
    rivals = order[:count]
    freedom = (count - 1) * (values.shape[1] - 1)
    variance = float(_variances(values[rivals]).mean()) / values.shape[1]
    if not freedom or not variance:
        return None
    spread = float(((means[rivals] - means[rivals].mean()) ** 2).sum())
    # The marginal law of the spread: the variance of means is that of noise over its share.
    likelihood = 0.5 * (count - 1) * np.log(SHRINKAGES) - 0.5 * (freedom + count - 1) * np.log1p(
        SHRINKAGES * spread / variance / freedom
    )
    weights = _prior() * np.exp(likelihood - likelihood.max())
    return NoiseShare(rivals, variance, weights / weights.sum())


def chances(values: Floats) -> Floats:
    """The chance of each pair of a start to be the best [P]; they sum to 1.

    Means are normal around what the pairs truly have, and that is normal around a common centre, or
    all of it is equal; how much of the spread of means is noise is weighed by how well it explains
    the means. Of twelve equal pairs each has about 8 %, on few seeds as on many.

    Args:
        values: final accuracies of the pairs [P, N]; one that is not finite in every seed has the
            chance 0.
    """
    found = np.zeros(len(values))
    able = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(able):
        return found
    means, alike = values[able].mean(axis=1), noise_share(values[able])
    if alike is None:
        found[able] = (means == means.max()) / np.sum(means == means.max())
        return found
    rivals = alike.rivals
    centre = means[rivals].mean()
    kept = 1 - SHRINKAGES[:-1, None]
    best = _best_of(centre + kept * (means[rivals] - centre), np.sqrt(kept * alike.variance))
    equal = np.full((1, len(rivals)), 1 / len(rivals))
    found[able[rivals]] = alike.weights @ np.vstack([best, equal])
    return found


def _variances(values: Floats) -> Floats:
    """The variances [P] of pairs over seeds [P, N], where the seed's effect on all is removed."""
    pairs, seeds = values.shape
    if pairs == 1 or seeds == 1:
        return np.zeros(pairs)
    rest = values - values.mean(axis=0)
    rest = rest - rest.mean(axis=1, keepdims=True)
    found: Floats = (rest**2).sum(axis=1) / (seeds - 1) * pairs / (pairs - 1)
    return found


def _prior() -> Floats:
    others = len(SHRINKAGES) - 1
    return np.append(np.full(others, (1 - ALIKE) / others), ALIKE)


def _best_of(centres: Floats, deviations: Floats) -> Floats:
    """The chance of each of independent normal values [K, P] to be the highest.

    deviations: of the values [K, 1].
    """
    nodes, rule = np.polynomial.legendre.leggauss(NODES)
    at = centres.max(axis=1, keepdims=True) + 6 * deviations * nodes  # [K, nodes]
    steps = (at[:, None, :] - centres[:, :, None]) / deviations[:, :, None]
    below = np.log(np.maximum(special.ndtr(steps), 1e-300))
    density = np.exp(below.sum(axis=1, keepdims=True) - below - 0.5 * steps**2) @ rule
    found: Floats = density / density.sum(axis=1, keepdims=True)
    return found
