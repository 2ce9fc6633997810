"""How the rate of clients or of the server changes from round to round: the share of it that a
round has.

A pure function of the round, which is counted from 1: not of how many rounds a run has, so that a
run of more rounds begins with the same ones.
"""

import math
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from headstart.parts.registry import Registry

RateByRound = Callable[[int], float]
"""round -> the share of the rate."""

RATES_BY_ROUND: Registry[RateByRound] = Registry("rate by round", "headstart.engine")

Final = Annotated[float, Field(ge=0, le=1, description="share of the rate at the end")]
Over = Annotated[
    int, Field(ge=1, description="round at which it has come to its end, and stays there")
]
Warmup = Annotated[
    int, Field(ge=0, description="rounds in which it rises linearly to the whole rate")
]


@RATES_BY_ROUND.register("constant", source="arXiv 2003.00295, Algorithm 1")
def constant(*, warmup: Warmup = 0) -> RateByRound:
    """The same rate in every round, after its warm-up.

    >>> [constant(warmup=4)(round) for round in (1, 2, 4, 100)]
    [0.25, 0.5, 1.0, 1.0]
    """
    return _warmed_up(warmup, lambda round_: 1.0)


@RATES_BY_ROUND.register("cosine", source="arXiv 1608.03983, Eq. 5, without restarts")
def cosine(*, over: Over, final: Final = 0.0, warmup: Warmup = 0) -> RateByRound:
    """final + (1 - final) (1 + cos(pi t)) / 2, with t from 0 in the first round after the warm-up
    to 1 in round `over`.

    >>> [round(cosine(over=5)(r), 4) for r in (1, 2, 3, 5, 9)]
    [1.0, 0.8536, 0.5, 0.0, 0.0]
    """

    def share(round_: int) -> float:
        return final + (1 - final) * (1 + math.cos(math.pi * _passed(round_, warmup, over))) / 2

    return _warmed_up(warmup, share)


@RATES_BY_ROUND.register("linear", source="torch.optim.lr_scheduler.LinearLR")
def linear(*, over: Over, final: Final = 0.0, warmup: Warmup = 0) -> RateByRound:
    """1 - t + final t, with t as for `cosine`.

    >>> [linear(over=5, final=0.2)(r) for r in (1, 3, 5, 9)]
    [1.0, 0.6, 0.2, 0.2]
    """

    def share(round_: int) -> float:
        t = _passed(round_, warmup, over)
        return 1 - t + final * t

    return _warmed_up(warmup, share)


@RATES_BY_ROUND.register("step", source="torch.optim.lr_scheduler.StepLR")
def step(
    *,
    every: Annotated[int, Field(ge=1, description="rounds between two steps")],
    factor: Annotated[
        float, Field(gt=0, le=1, description="what each step multiplies the rate with")
    ] = 0.5,
    warmup: Warmup = 0,
) -> RateByRound:
    """factor^n after n times `every` rounds, those of the warm-up not counted.

    >>> [step(every=2)(r) for r in (1, 2, 3, 5)]
    [1.0, 1.0, 0.5, 0.25]
    """
    return _warmed_up(warmup, lambda round_: factor ** ((round_ - 1 - warmup) // every))


def _warmed_up(warmup: int, share: RateByRound) -> RateByRound:
    return lambda round_: round_ / warmup if round_ <= warmup else share(round_)


def _passed(round_: int, warmup: int, over: int) -> float:
    """From 0 in the first round after the warm-up to 1 in round `over`, and from there on."""
    return min((round_ - 1 - warmup) / max(over - 1 - warmup, 1), 1.0)
