"""Rates that change from round to round are rates written out, for every executor;
existing runs keep their keys.
"""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from tests.engine.conftest import Small, one_round

from headstart.engine.federation import begin
from headstart.engine.rate_by_round import (
    RATES_BY_ROUND,
    RateByRound,
    constant,
    cosine,
    linear,
    step,
)
from headstart.errors import HeadstartError
from headstart.study.spec import Study

STUDY = {"task": "digits", "model": "logistic", "seeds": [0]}


@pytest.mark.parametrize("executor", ["loop", "stacked"])
def test_a_rate_that_falls_is_that_rate_in_each_round(small: Small, executor: str) -> None:
    plain = small.federation(executor=executor, client_rate=0.4, server_rate=0.8)
    falling = replace(
        plain,
        client_rate_by_round=step(every=1, factor=0.5),
        server_rate_by_round=constant(warmup=4),
    )
    x = plain.network.initial(1)
    ours, theirs = begin(falling, x), begin(plain, x)
    for client_rate, server_rate in ((0.4, 0.2), (0.2, 0.4), (0.1, 0.6)):
        ours, _ = one_round(falling, ours)
        theirs, _ = one_round(
            replace(plain, client_rate=client_rate, server_rate=0.8 * server_rate / 0.8), theirs
        )
    for name, leaf in theirs.x.items():
        torch.testing.assert_close(ours.x[name], leaf, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "rate", [cosine(over=20, final=0.1, warmup=5), linear(over=20, final=0.1, warmup=5)]
)
def test_it_rises_to_the_whole_rate_and_falls_to_its_end(rate: RateByRound) -> None:
    shares = [rate(round_) for round_ in range(1, 31)]
    assert shares[:6] == [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    assert all(later < earlier for earlier, later in pairwise(shares[5:20]))
    assert shares[19:] == pytest.approx([0.1] * 11, rel=1e-12)


def test_runs_of_studies_have_it_in_their_keys_only_where_it_is_used() -> None:
    (plain,) = Study(**STUDY).runs
    (named,) = Study(**STUDY, client_rate_by_round="constant").runs
    (falling,) = Study(**STUDY, client_rate_by_round="cosine(over=60)").runs
    assert plain.key == named.key != falling.key
    assert "client_rate_by_round" not in plain.spec()
    assert falling.spec()["client_rate_by_round"] == "cosine(over=60)"
    assert (
        "client_rate_by_round: cosine(over=60)"
        in Study(**STUDY, client_rate_by_round="cosine(over=60)").resolved()
    )


def test_bad_ones_get_one_line() -> None:
    with pytest.raises(
        HeadstartError, match=r"^client_rate_by_round: unknown rate by round 'cosin'; did you mean"
    ):
        Study(**STUDY, client_rate_by_round="cosin(over=3)")
    with pytest.raises(HeadstartError, match=r"^server_rate_by_round: expected a function of"):
        Study(**STUDY, server_rate_by_round="math:cos")
    with pytest.raises(HeadstartError, match="over"):
        RATES_BY_ROUND.component("linear")
