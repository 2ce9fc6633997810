"""The time of a study: more rounds, seeds and trials take longer, in proportion."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.study.small_studies import study

from headstart.tools import estimate
from headstart.tools.estimate import estimate_seconds

KEYS: dict[str, Any] = {
    "model": "logistic", "rounds": 10, "executor": "loop", "client_rates": 0.1, "server_rates": 1.0,
}  # fmt: skip


@pytest.fixture
def a_second_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is timed takes as long, so that an estimate is a function of the study."""
    clock = SimpleNamespace(perf_counter=iter(range(10**6)).__next__)
    monkeypatch.setattr(estimate, "time", clock)


def seconds(**changes: Any) -> float:
    return estimate_seconds(study(**{**KEYS, **changes}))


@pytest.mark.usefixtures("a_second_a_call")
def test_seeds_are_paid_for_one_by_one() -> None:
    assert seconds(seeds=[0, 1, 2]) == pytest.approx(3 * seconds(seeds=[0]), rel=0.05)


@pytest.mark.usefixtures("a_second_a_call")
def test_rounds_are_paid_for_and_evaluation_beside_them() -> None:
    rarely, more = seconds(every=10), seconds(every=10, rounds=20)
    assert rarely < more < 2.01 * rarely
    assert seconds(every=1) > rarely


@pytest.mark.usefixtures("a_second_a_call")
def test_trials_count_as_if_none_were_pruned() -> None:
    """As many more trials take as much longer, and none is longer than a run."""

    def of_trials(count: int) -> float:
        ranges = {"client_rate": [0.01, 1.0], "server_rate": [0.1, 1.0]}
        return seconds(tuning={"trials": count, "seeds": [7], **ranges})

    two, four, six = map(of_trials, (2, 4, 6))
    assert six - four == pytest.approx(four - two, rel=0.01)
    assert 0 < (four - two) / 2 <= seconds()
