"""Variances of many couples of pairs that share few seeds: each is drawn towards what is usual.

At three seeds a variance has two degrees of freedom, and a claim among twelve pairs needs a t of
200. Where many couples have variances, those tell what is usual: the prior variance `s0^2`, which
counts as `d0` further degrees of freedom. Both are found by moments of the logarithms: the more the
variances differ beyond what chance does, the less is d0. Optimizers that vary ten times more than
others so have a variance almost of their own.

    s~^2 = (d0 s0^2 + d s^2) / (d0 + d),   t with d0 + d degrees of freedom

Differs from the source: couples that share a pair depend on one another, so that the variance of
logarithms is taken as if there were only as many as independent pairs, and d0 is no more than the
degrees of freedom that the others of these have.

Source: Smyth, Stat. Appl. Genet. Mol. Biol. 3(1) (2004), article 3, sections 3 and 6.2.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_HALVES = np.logspace(-2, 5, 2000)
_TRIGAMMAS = special.polygamma(1, _HALVES)


def moderated(
    variances: Floats, counted: NDArray[np.bool_], freedom: int, independent: float | Floats
) -> tuple[Floats, Floats]:
    """Returns the variances [..., P, P] drawn towards what is usual, and their degrees of freedom
    [...].

    Args:
        variances: of couples [..., P, P].
        counted: which of them say what is usual [..., P, P]; those that are 0 do not.
        freedom: the degrees of freedom of each.
        independent: as how many independent variances they are taken [...], which need not be
            whole: from two starts at most as many as pairs, within one as many less one.
    """
    counted = counted & (variances > 0)
    many = counted.sum(axis=(-1, -2))
    others = np.asarray(independent, dtype=float) - 1
    if not (others > 0).any() or not freedom:
        return variances, np.full(many.shape, float(freedom))
    logs = np.where(counted, np.log(np.where(counted, variances, 1.0)), 0.0)
    centre = logs.sum(axis=(-1, -2)) / np.maximum(many, 1)
    squares = np.where(counted, (logs - centre[..., None, None]) ** 2, 0.0).sum(axis=(-1, -2))
    spread = squares / np.maximum(many, 1) * (1 + 1 / np.maximum(others, 1e-9))
    excess = np.maximum(spread - special.polygamma(1, freedom / 2), _TRIGAMMAS[-1])
    prior = 2 * np.interp(-excess, -_TRIGAMMAS, _HALVES)
    prior = np.where(many > 1, np.minimum(prior, others * freedom), 0.0)
    half = np.maximum(prior, 1e-6) / 2
    usual = np.exp(
        centre
        - special.digamma(freedom / 2)
        + np.log(freedom / 2)
        + special.digamma(half)
        - np.log(half)
    )
    weight = (prior / (prior + freedom))[..., None, None]
    drawn = weight * np.where(prior > 0, usual, 0.0)[..., None, None] + (1 - weight) * variances
    return drawn, freedom + prior
