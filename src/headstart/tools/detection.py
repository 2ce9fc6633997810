"""Which difference a study finds with so many seeds, and how many seeds a difference takes:
simulated through the rule that decides the study.

Studies are drawn around a difference that is to be found, and are found to have it where a start is
ahead of all others, or a pair ahead of another. Each is drawn with the same noise whatever the
difference and the number of seeds, so that both answers are of one truth, and agree with what
`forecast` says of studies that stop when they have decided.

Shapes: F studies, A starts, P pairs, N seeds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.claims import Claims, claims
from headstart.statistics.joint.sequential import Looks, one_look
from headstart.statistics.power import MOST_SEEDS, POWER

Floats = NDArray[np.float64]

STUDIES, LARGE, OF_LARGE = 400, 30, 100
"""How many studies are drawn; fewer where starts times pairs are more than `LARGE`, as each takes
longer.
"""

AIM = POWER + 0.03
"""The share of them that is aimed at, as it is known to 4 points, so that 80 % of studies do."""

USUAL = 0.02
"""Of accuracy: the difference that is tried first."""

KEY = 1928
"""Of the generator: the same file has the same answers."""

CLOSELY = 0.0005
"""Of accuracy: a difference is told to a tenth of a point."""


@dataclass(frozen=True)
class Expected:
    """Studies as they are expected, but for the difference that is to be found.

    Attributes:
        gaps: by how much a pair is less accurate than the best of its start [A, P]; NaN where it
            cannot be used.
        noise: [A, P, K], whose products over K are the covariance of accuracies over seeds; None
            where runs are independent, all with one standard deviation.
        deviation: that one, as a share.
        leader: the place of the start that is to be found ahead.
        margin: a difference that is no more than this does not matter.
    """

    gaps: Floats
    noise: Floats | None
    deviation: float
    leader: int
    margin: float

    def starts(self, difference: float, looks: Looks) -> float:
        """The share of studies that find the leader ahead of every other start, all of which are
        worse by this difference with their best pairs.
        """
        true = -self.gaps
        true[self.leader] += difference
        found = self._last(true, looks)
        others = np.arange(len(true)) != self.leader
        return float(found.ahead[:, self.leader, others].all(axis=1).mean())

    def pairs(self, difference: float, looks: Looks) -> float:
        """The share of studies that find the leader's best pair ahead of another that is worse by
        this difference, the mean over the better half of the pairs.
        """
        true = -self.gaps
        ranked = np.argsort(np.nan_to_num(self.gaps[self.leader], nan=math.inf), kind="stable")
        usable = ranked[np.isfinite(self.gaps[self.leader][ranked])]
        others = usable[1 : max(2, math.ceil(len(usable) / 2))]
        true[self.leader, others] = -difference
        found = self._last(true, looks)
        return float((found.pairs_low[:, self.leader, usable[0], others] > 0).mean())

    def _last(self, true: Floats, looks: Looks) -> Claims:
        """What the last look claims of studies with these means [A, P]."""
        draw = np.random.Generator(np.random.Philox(key=KEY))
        seeds, studies = looks.seeds[-1], STUDIES if true.size <= LARGE else OF_LARGE
        if self.noise is None:
            rest = self.deviation * draw.standard_normal((studies, *true.shape, seeds))
        else:
            rest = self.noise @ draw.standard_normal((studies, 1, self.noise.shape[-1], seeds))
        values = np.where(np.isfinite(true)[..., None], true[..., None] + rest, -math.inf)
        return claims(values, looks, self.margin)[-1]

    def difference(self, what: str, looks: Looks) -> float:
        """The least difference that 80 % of studies find; infinite where it is more than
        accuracy has.

        Args:
            what: `starts` or `pairs`.
            looks: of the study.
        """
        share = self.starts if what == "starts" else self.pairs
        low, high = 0.0, USUAL
        while share(high, looks) < AIM:
            low, high = high, 2 * high
            if high > 1:
                return math.inf
        while high - low > CLOSELY:
            middle = (low + high) / 2
            low, high = (low, middle) if share(middle, looks) >= AIM else (middle, high)
        return high

    def seeds(self, what: str, difference: float) -> int | None:
        """The seeds of a study with one look that finds this difference; None above `MOST_SEEDS`.

        Args:
            what: `starts` or `pairs`.
            difference: as a share.
        """
        share = self.starts if what == "starts" else self.pairs
        low, high = 1, 2
        while share(difference, one_look(high)) < AIM:
            if high == MOST_SEEDS:
                return None
            low, high = high, min(2 * high, MOST_SEEDS)
        while high - low > 1:
            middle = (low + high) // 2
            enough = share(difference, one_look(middle)) >= AIM
            low, high = (low, middle) if enough else (middle, high)
        return high


def alike(shape: tuple[int, int], deviation: float, margin: float) -> Expected:
    """Studies whose runs all vary alike, and independently of each other.

    Args:
        shape: how many starts and pairs [A, P].
        deviation: the standard deviation of a run over seeds, as a share.
        margin: a difference that is no more than this does not matter.
    """
    return Expected(np.zeros(shape), None, deviation, 0, margin)


def like_these(values: Floats, margin: float) -> Expected | None:
    """Studies whose runs vary, together, as these did; None where from some start none can be used.

    Args:
        values: final accuracies [A, P, N], of two seeds at the least.
        margin: a difference that is no more than this does not matter.
    """
    able = np.asarray(np.isfinite(values).all(axis=-1))
    if not able.any(axis=1).all():
        return None
    known = np.where(able[..., None], values, 0.0)
    means = known.mean(axis=-1)
    noise = (known - means[..., None]) / math.sqrt(values.shape[-1] - 1)
    tops = np.where(able, means, -math.inf).max(axis=1)
    gaps = np.where(able, tops[:, None] - means, np.nan)
    return Expected(gaps, noise, 0.0, int(tops.argmax()), margin)
