"""What is said of a study before it is run."""

from typing import Any

import pytest

import headstart.study.check as check_module
from headstart.engine.federation import Federation
from headstart.study.check import check, seeds_tuned_on, untuned_servers
from headstart.study.federations import federation_of
from headstart.study.file.run_spec import RunSpec
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


def test_the_data_of_runs_that_have_ended_are_not_dealt_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = Study(task="digits", model="logistic", seeds=range(6), population=5, cohort=2)
    asked: list[RunSpec] = []

    def counted(run: RunSpec) -> Federation:
        asked.append(run)
        return federation_of(run)

    monkeypatch.setattr(check_module, "federation_of", counted)
    check(study)
    assert sorted(run.seed for run in asked) == [0, 1, 2, 3, 4, 5]
    asked.clear()
    check(study, lambda run: run.seed < 4)
    assert sorted(run.seed for run in asked) == [4, 5]
    asked.clear()
    check(study, lambda run: True)
    assert len(asked) == 1
