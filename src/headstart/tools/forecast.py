"""Whether a study that runs until it has decided will decide, how, and after how many seeds.

Studies like it are drawn, and looked at by its plan: each ends at the look at which it is decided
where to begin and with what, or at which the seeds to come would most likely decide nothing. With
results of a study with as many starts and pairs they are drawn as its future would be
(`statistics.joint.prospects`); else runs are normal around what is assumed. Pairs that would go out
as worse are drawn as if they stayed.

Shapes: F studies, A starts, P pairs, N seeds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.claims import claims
from headstart.statistics.joint.sequential import Looks

Floats = NDArray[np.float64]

STUDIES = 200
"""A share of one half is within 7 points of what more of them would say."""

CHUNK = 50
"""So many are looked at together, to keep memory small."""

KEY = 2000
"""Of the generator: the same file has the same forecast."""


@dataclass(frozen=True)
class Forecast:
    """What comes of studies that run until they have decided.

    where, ahead, which: the shares of them that decide where to begin, that find the start they
    name to be ahead of every other, and that decide with what. seeds: in the median, at the end.
    """

    where: float
    ahead: float
    which: float
    seeds: int


def forecast(values: Floats, looks: Looks, margin: float) -> Forecast:
    """What comes of studies with these runs.

    Args:
        values: final accuracies [F, A, P, N], of as many seeds as the last look takes; a pair with
            NaN cannot be used.
        looks: those that are planned.
        margin: a difference that is no more than this does not matter.
    """
    ends = []
    for first in range(0, len(values), CHUNK):
        ends.append(_ends(values[first : first + CHUNK], looks, margin))
    where, ahead, which, seeds = np.concatenate(ends, axis=1)
    middle = int(np.sort(seeds)[len(seeds) // 2])
    return Forecast(float(where.mean()), float(ahead.mean()), float(which.mean()), middle)


def _ends(values: Floats, looks: Looks, margin: float) -> Floats:
    """Of each study whether it has decided where to begin at its end, with a start that is ahead,
    and with what, and its seeds [4, F].
    """
    at_looks = claims(values, looks, margin)
    where = np.array([at.where for at in at_looks])
    which = np.array([at.which for at in at_looks])
    over = (where & which) | np.array([at.hopeless for at in at_looks])
    last = np.where(over.any(axis=0), over.argmax(axis=0), len(at_looks) - 1)
    studies = np.arange(len(values))
    ahead = []
    for place, study in zip(last, studies, strict=True):
        at = at_looks[place]
        of_leader = at.ahead[study, at.leader[study]]
        ahead.append(int(of_leader.sum()) == len(of_leader) - 1)
    seeds = np.array(looks.seeds)[last]
    return np.array([where[last, studies], ahead, which[last, studies], seeds], dtype=float)


def assumed(starts: int, pairs: int, seeds: int, deviation: float, gain: float) -> Floats:
    """Studies in which nothing differs but that the first start is better by a gain [F, A, P, N].

    Args:
        starts: how many.
        pairs: how many, all alike.
        seeds: of each.
        deviation: the standard deviation of a run over seeds, as a share.
        gain: of the first start, as a share.
    """
    generator = np.random.Generator(np.random.Philox(key=KEY))
    values = deviation * generator.standard_normal((STUDIES, starts, pairs, seeds))
    values[:, 0] += gain
    return values
