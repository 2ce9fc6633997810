"""One-sided bounds for the differences of all couples of pairs, at few seeds.

The t statistic of differences that are skewed errs more often on one side: where the long tail has
not shown yet, the mean is too good and the spread too small. So the bound allows for the skewness
that the seeds show, where it makes the bound more cautious (Hall's monotone cubic):

    f(t) = t + a t^2 / sqrt(n) + a^2 t^3 / (3 n) + a / (2 sqrt(n)),   a = g / 3,   f(t) = critical

Few seeds show less skewness than there is; that is why it is doubled, and why a bound on few seeds
has a lower level. Of a couple that is drawn towards the usual variance the
skewness is by that variance as well.

Sources: Johnson, J. Am. Statist. Assoc. 73 (1978), the t statistic of skewed values; Hall, J. R.
Statist. Soc. B 54 (1992), its monotone form.

Shapes: `...` studies, P pairs, N seeds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from headstart.statistics.joint.moderated import moderated

Floats = NDArray[np.float64]

SKEWNESS = 2.0
"""By how much the skewness that is seen is multiplied. Ours, from simulated studies."""

LUCK = 20.0
"""A study of which fewer than one in so many will be decided is hopeless."""


@dataclass(frozen=True)
class Couples:
    """The couples of pairs of one start with those of another.

    value, error [..., P, P]: mean differences and their standard errors. skewness [..., P, P] of
    the differences. freedom [...]: the degrees of freedom of the errors. seeds: how many.
    """

    value: Floats
    error: Floats
    skewness: Floats
    freedom: Floats
    seeds: int

    def turned(self) -> "Couples":
        """The same couples, seen from the other start."""
        value, error, skewness = (
            np.swapaxes(it, -1, -2) for it in (self.value, self.error, self.skewness)
        )
        return Couples(-value, error, -skewness, self.freedom, self.seeds)

    def low(self, level: float, enough: float = 0.0) -> Floats:
        """What the differences are at least [..., P, P], each at this one-sided level.

        With fewer seeds than are `enough`, less one, the level is as much lower.
        """
        if level <= 0 or self.seeds < 2:
            return np.full(self.value.shape, -math.inf)
        critical = _critical(self.freedom, self.seeds, level, enough)[..., None, None]
        root = math.sqrt(self.seeds)
        a = np.minimum(SKEWNESS * self.skewness / 3, -1e-7)
        inner = 1 + 3 * a / root * (critical - a / (2 * root))
        found: Floats = self.value - self.error * root / a * (np.cbrt(inner) - 1)
        return found

    def hoped(self, level: float, enough: float, seeds: int) -> Floats:
        """What `low` will hardly be above after so many seeds [..., P, P].

        The mean at the end is normal around the mean so far, and the spread is what it is; by luck
        that one in `LUCK` studies has, the bound is this. Nothing where no level is left.
        """
        if level <= 0 or self.seeds < 2:
            return np.full(self.value.shape, -math.inf if level <= 0 else math.inf)
        luck = special.stdtrit(self.freedom, 1 - 1 / LUCK) * math.sqrt(1 - self.seeds / seeds)
        critical = _critical(self.freedom + seeds - self.seeds, seeds, level, enough)
        away = luck - critical * math.sqrt(self.seeds / seeds)
        found: Floats = self.value + self.error * away[..., None, None]
        return found


def _critical(freedom: Floats, seeds: int, level: float, enough: float) -> Floats:
    lower = level / max(enough / (seeds - 1), 1.0)
    return np.asarray(special.stdtrit(freedom, 1 - lower))


def couples(
    ours: Floats,
    theirs: Floats,
    counted: NDArray[np.bool_],
    independent: float | Floats,
    step: float,
) -> Couples:
    """All couples of our pairs with theirs.

    Args:
        ours: accuracies of the pairs from one start [..., P, N].
        theirs: those from another, or the same.
        counted: which couples say what variance is usual [..., P, P].
        independent: as how many variances those are taken.
        step: the smallest difference that accuracy can show.
    """
    seeds = ours.shape[-1]
    means, rivals = ours.mean(axis=-1), theirs.mean(axis=-1)
    value = means[..., :, None] - rivals[..., None, :]
    u, w = ours - means[..., None], theirs - rivals[..., None]
    w_NP = np.swapaxes(w, -1, -2)
    square = _sum(u**2, w**2) - 2 * (u @ w_NP)
    square = np.maximum(square, 0.0)
    cube = (u**3).sum(axis=-1)[..., :, None] - (w**3).sum(axis=-1)[..., None, :]
    cube += 3 * (u @ w_NP**2) - 3 * (u**2 @ w_NP)
    variance = np.maximum(square / max(seeds - 1, 1), (step / 2) ** 2)
    variance, freedom = moderated(variance, counted, seeds - 1, independent)
    floor = np.maximum(variance, 1e-100)
    return Couples(value, np.sqrt(variance / seeds), cube / seeds / floor**1.5, freedom, seeds)


def effective(ours: Floats, theirs: Floats, most: int) -> Floats:
    """As how many independent variances those of the couples of two starts count [...].

    Logarithms of variances go together as the squares of the correlations. So where pairs of a
    start go together with a mean correlation r, m of them are worth m / (1 + (m - 1) r^2) (Kish);
    that of differences is the mean of both starts', by what they add to the variance. What pairs of
    one start share is not in their differences, so that within a start nothing is taken off.

    Args:
        ours: accuracies of the pairs from one start [..., P, N].
        theirs: those from another.
        most: where pairs do not go together.
    """
    ours_by, ours_share = _together(ours)
    theirs_by, theirs_share = _together(theirs)
    total = np.maximum(ours_share + theirs_share, 1e-300)
    r = np.maximum((ours_by * ours_share + theirs_by * theirs_share) / total, 0.0)
    found: Floats = most / (1 + (most - 1) * r**2)
    return found


def _together(values: Floats) -> tuple[Floats, Floats]:
    """The mean correlation of the pairs of a start over seeds, and their mean square [...]."""
    rest = values - values.mean(axis=-1, keepdims=True)
    size = np.sqrt((rest**2).sum(axis=-1, keepdims=True))
    unit = np.where(size > 0, rest / np.maximum(size, 1e-300), 0.0)
    many = (size > 0).sum(axis=(-1, -2))
    squared = (unit.sum(axis=-2) ** 2).sum(axis=-1)
    return (squared - many) / np.maximum(many * (many - 1), 1), (rest**2).mean(axis=(-1, -2))


def _sum(ours: Floats, theirs: Floats) -> Floats:
    found: Floats = ours.sum(axis=-1)[..., :, None] + theirs.sum(axis=-1)[..., None, :]
    return found
