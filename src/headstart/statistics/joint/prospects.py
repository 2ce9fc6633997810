"""The chance that more seeds decide a study, over futures that are drawn from the seeds it has.

A future has the mean and the covariance over seeds that normal values with these runs may have: the
covariance is that of the runs, times the degrees of freedom over a chi-squared draw, and the mean
is normal around theirs; pairs, and starts by their best pairs, are drawn towards each other as far
as they may be alike. In each future the study is looked at with the error that is left to it. So
the chance counts that differences and spreads are known from a few seeds only.

Sources: Spiegelhalter, Freedman and Blackburn, Controlled Clinical Trials 7 (1986), predictive
power; Lindley and Smith, J. R. Statist. Soc. B 34 (1972), means that are alike.

Shapes: F futures, A starts, P pairs, N seeds.
"""

import math

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.claims import at_look, claims
from headstart.statistics.joint.sequential import Looks, grown, one_look
from headstart.statistics.joint.winners import SHRINKAGES, noise_share

FUTURES = 200
"""A chance of one half is within 7 points of what more futures would say."""

STAGES = 4
"""In a future the study is looked at after so many of the looks, the last among them."""

KEY = 1986
"""Of the generator: the same runs have the same prospects."""

Floats = NDArray[np.float64]


def going_on(values: Floats, taken: Looks, at_most: int, margin: float, step: float) -> float:
    """The chance that a study is decided which goes on to so many seeds, with a look at each.

    Args:
        values: final accuracies [A, P, N] at the last look; NaN and -inf as in `claims`.
        taken: the looks taken, the last at N seeds.
        at_most: how many seeds it has then, with these.
        margin: a difference that is no more than this does not matter.
        step: the smallest difference that accuracy can show.
    """
    seeds = values.shape[-1]
    looks = grown(taken, tuple(range(seeds + 1, at_most + 1)))
    now = claims(values, taken, margin, step)[-1]
    further = futures(values, at_most - seeds)
    so_far = np.broadcast_to(values, (FUTURES, *values.shape))
    drawn = np.concatenate([so_far, further], axis=-1)
    where = np.full(FUTURES, bool(now.where))
    which = np.full(FUTURES, bool(now.which))
    first = len(taken.seeds)
    for place in np.unique(np.linspace(first, len(looks.seeds) - 1, STAGES + 1).astype(int)):
        found = at_look(drawn[..., : looks.seeds[place]], looks, int(place), margin, step)
        where, which = where | found.where, which | found.which
    return float((where & which).mean())


def anew(values: Floats, seeds: int, margin: float, step: float) -> float:
    """The chance that a study is decided which looks once, at so many other seeds.

    Args:
        values: final accuracies [A, P, N] of the study that is known.
        seeds: of the study to come.
        margin: a difference that is no more than this does not matter.
        step: the smallest difference that accuracy can show.
    """
    (found,) = claims(futures(values, seeds), one_look(seeds), margin, step)
    return float((found.where & found.which).mean())


def futures(values: Floats, seeds: int) -> Floats:
    """Further seeds of the study [F, A, P, seeds]; NaN for a pair that goes on no more.

    values: final accuracies [A, P, N], of two seeds at the least.
    """
    generator = np.random.Generator(np.random.Philox(key=KEY))
    able: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=-1))
    known = np.where(able[..., None], values, 0.0)
    means = known.mean(axis=-1, keepdims=True)
    n = known.shape[-1]
    rest = (known - means) / math.sqrt(n - 1)  # its products over seeds are the covariance
    scale = np.sqrt((n - 1) / generator.chisquare(n - 1, (FUTURES, 1, 1, 1)))
    shift = generator.standard_normal((FUTURES, 1, n, 1)) / math.sqrt(n)
    each = generator.standard_normal((FUTURES, 1, n, seeds))
    so_far = means[..., 0] + (scale * (rest @ shift))[..., 0]
    true = _drawn_together(known, able, so_far, generator)
    drawn = true[..., None] + scale * (rest @ each)
    return np.where(able[..., None], drawn, np.nan)


def _drawn_together(
    values: Floats, able: NDArray[np.bool_], drawn: Floats, generator: np.random.Generator
) -> Floats:
    """What pairs truly have [F, A, P], drawn towards each other as far as they may be alike.

    Args:
        values: final accuracies [A, P, N].
        able: the pairs that can be used [A, P].
        drawn: what pairs truly have where nothing says that they are alike [F, A, P].
        generator: of how alike they are.
    """
    found = drawn.copy()
    usable = np.flatnonzero(able.any(axis=1))
    for a in usable:
        pairs = np.flatnonzero(able[a])
        found[:, a, pairs] = _nearer(values[a, pairs], drawn[:, a, pairs], generator)
    best = np.where(able, values.mean(axis=-1), -math.inf).argmax(axis=1)[usable]
    tops = found[:, usable, best]
    found[:, usable] += (_nearer(values[usable, best], tops, generator) - tops)[..., None]
    return found


def _nearer(values: Floats, drawn: Floats, generator: np.random.Generator) -> Floats:
    """Draws [F, P] of what pairs with these values [P, N] truly have, drawn towards each other."""
    alike = noise_share(values)
    if alike is None:
        return drawn
    shares = generator.choice(SHRINKAGES, (len(drawn), 1), p=alike.weights)
    means = values[alike.rivals].mean(axis=1)
    apart, centre = means - means.mean(), drawn[:, alike.rivals].mean(axis=1, keepdims=True)
    noise = drawn[:, alike.rivals] - centre - apart
    found = drawn.copy()
    found[:, alike.rivals] = centre + (1 - shares) * apart + np.sqrt(1 - shares) * noise
    return found
