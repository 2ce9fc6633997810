"""What is said of a study before it is run."""

from typing import Any

import pytest

from headstart.study.check import seeds_tuned_on, untuned_servers
from headstart.study.spec import Study

ADAPTIVE = ["adam", "yogi", "adagrad"]


def study(**keys: Any) -> Study:
    return Study(task="digits", model="mlp", servers=["sgd", "momentum", *ADAPTIVE], **keys)


def test_adaptive_servers_with_the_default_rate_are_named() -> None:
    assert [name.split("(")[0] for name in untuned_servers(study())] == ADAPTIVE


@pytest.mark.parametrize(
    "keys",
    [
        {"tuning": {}},
        {"server_rates": 1.0},
        {"also": [{"server_rates": 0.1}]},
        {"rates": [{"server": name, "client_rate": 0.1, "server_rate": 0.01} for name in ADAPTIVE]},
    ],
)
def test_rates_that_were_thought_of_are_not(keys: dict[str, Any]) -> None:
    assert untuned_servers(study(**keys)) == []


def test_judged_seeds_that_are_tuned_on_are_named() -> None:
    assert seeds_tuned_on(study(seeds=[0, 1, 2], tuning={"seeds": [2, 7, 0]})) == [0, 2]
    assert seeds_tuned_on(study(tuning={})) == seeds_tuned_on(study()) == []
