"""Every start gets as many rates as the others."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.study.spec import Study


def study(**keys: Any) -> Study:
    return Study(**{"task": "digits", "model": "mlp", "starts": ["random", "proxy"], **keys})


def test_more_rates_from_one_start_are_one_line() -> None:
    """The best of four stands for random, so that it leads proxy too often where nothing
    differs.
    """
    with pytest.raises(
        HeadstartError,
        match=r"^starts: expected as many rates from every start, got 4 from random and 1 from "
        r"proxy",
    ):
        study(
            client_rates=[0.1, 0.2, 0.3, 0.4],
            starts=["random"],
            also=[{"starts": "proxy", "client_rates": 0.1}],
        )
    with pytest.raises(
        HeadstartError,
        match=r"got 3 from proxy and 2 from random with sgd \+ adam; give each the same",
    ):
        study(client_rates=[0.1, 0.2], servers=["sgd", "adam"],
              also=[{"starts": "proxy", "servers": "adam", "client_rates": [0.7]}])  # fmt: skip


def test_as_many_rates_from_each_start_may_be_other_ones() -> None:
    other = study(
        also=[{"starts": "random", "client_rates": 0.3}, {"starts": "proxy", "client_rates": 0.7}]
    )
    assert len(other.runs) == 2 * 2 * 3


def test_a_pair_of_one_start_alone_is_compared_with_nothing() -> None:
    assert study(also=[{"starts": "random", "servers": "adam", "server_rates": [0.1, 0.2]}]).runs


def test_rates_of_each_start_may_be_named() -> None:
    rows = [{"start": "proxy", "client_rate": 0.5, "server_rate": 1.0, "chosen_on": "test"}]
    named = study(client_rates=[0.1, 0.2, 0.3], rates=rows)
    assert len(named.runs) == 4 * 3
    assert "chosen_on: test" in named.resolved()
