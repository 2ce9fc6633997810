"""What to expect of the pair that came out best, and the chances of each to be the best.

The highest of many means is too high: of twelve equal pairs at three seeds with a standard
deviation of 2 points, by 1.9. So each seed is left out in turn, the pairs are put in order by the
others, and what stands at a place is what the left-out seed gives to the pair there. Seeds that
did not choose have no reason to flatter: what stands at a place is right on average for a pair that
was put there by one seed less.

Sources: Stone, J. R. Statist. Soc. B 36 (1974), cross-validatory choice and assessment; Lindley and
Smith, ibid. 34 (1972), the hierarchical model of means that are alike.

Shapes: `...` studies, A starts, P pairs, N seeds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

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


def estimates(values: Floats) -> Floats:
    """The accuracies [..., A, P] that new seeds are expected to have, corrected for the choice.

    Starts are in the order of their best pairs, and pairs in the order of their means, on all seeds
    but one; the one that is left out is averaged by place. With one seed they are what it has.

    Args:
        values: final accuracies [..., A, P, N]; a pair that is not finite in every seed has NaN.
    """
    able = np.asarray(np.isfinite(values).all(axis=-1))
    known = np.where(able[..., None], values, -math.inf)
    seeds = values.shape[-1]
    places = _order(known.mean(axis=-1))
    if seeds == 1:
        return np.where(able, known[..., 0], np.nan)
    by_place = np.zeros(able.shape)
    counted = np.zeros(able.shape)
    for seed in range(seeds):
        others = np.delete(known, seed, axis=-1).mean(axis=-1)
        left_out = _taken(known[..., seed], _order(others))
        finite = np.isfinite(left_out)
        by_place += np.where(finite, left_out, 0.0)
        counted += finite
    found = np.empty(able.shape)
    _put(found, places, by_place / np.maximum(counted, 1))
    return np.where(able, found, np.nan)


def _order(means: Floats) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The starts [..., A] by their best pairs, and the pairs [..., A, P] of each, best first."""
    starts = np.argsort(-means.max(axis=-1), axis=-1, kind="stable")
    return starts, np.argsort(-means, axis=-1, kind="stable")


def _taken(values: Floats, order: tuple[NDArray[np.int_], NDArray[np.int_]]) -> Floats:
    starts, pairs = order
    sorted_pairs = np.take_along_axis(values, pairs, axis=-1)
    return np.take_along_axis(sorted_pairs, starts[..., None], axis=-2)


def _put(into: Floats, order: tuple[NDArray[np.int_], NDArray[np.int_]], by_place: Floats) -> None:
    starts, pairs = order
    by_start = np.empty(into.shape)
    np.put_along_axis(by_start, starts[..., None], by_place, axis=-2)
    np.put_along_axis(into, pairs, by_start, axis=-1)


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
