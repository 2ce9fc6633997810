"""Rounds that nobody reports from, bytes, and what the loop computes in place of an executor."""

import numpy as np
import pytest
import torch
from tests.engine.conftest import FEATURES, Small, distance, one_round, small_task
from torch import nn

import headstart
from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.engine.executors.base import EXECUTORS, Assignment
from headstart.engine.executors.loop import by_loop
from headstart.engine.federation import begin
from headstart.engine.plan import plan
from headstart.kernels.recorded import Recorded
from headstart.models.network import Network
from headstart.study.rounds import or_by_loop


@pytest.fixture(scope="module")
def small() -> Small:
    return small_task()


def test_a_round_without_reports_leaves_the_weights(small: Small) -> None:
    federation = small.federation(server="adam", client="scaffold", devices="dropped(share=1.0)")
    start = begin(federation, federation.network.initial(1))
    state, cohort = one_round(federation, start)
    assert cohort is None
    assert state.round == 1
    assert all(torch.equal(state.x[name], start.x[name]) for name in start.x)
    assert state.bytes_up == 0
    # X and the control variate, to 4 clients.
    assert state.bytes_down == 4 * trees.size_in_bytes(start.x) * 2


@pytest.mark.parametrize(
    ("client", "up", "down"),
    [
        ("sgd", 1, 1),
        ("gd", 1, 1),
        ("scaffold", 2, 2),
        ("mimelite", 2, 2),
        ("mimelite(base='adam')", 2, 3),
    ],
)
def test_bytes_are_what_the_method_sends(small: Small, client: str, up: int, down: int) -> None:
    """In units of the model: SCAFFOLD sends c both ways, MimeLite the gradient at x up and its
    statistics down.
    """
    federation = small.federation(client=client)
    state, _ = one_round(federation, begin(federation, federation.network.initial(1)))
    model = 4 * trees.size_in_bytes(state.x)
    counter = 4 * 8  # a count of rounds, where a method keeps one
    assert state.bytes_up == up * model
    assert state.bytes_down in (down * model, down * model + counter)


class Branching(nn.Linear):
    """Looks at the values of what it computes, as nothing that is recorded may."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs = super().forward(x)
        return outputs if float(outputs.detach().sum()) > 0 else 2 * outputs


def assignments(small: Small, network: Network, count: int) -> list[Assignment]:
    client, schedule = CLIENTS.build(CLIENTS.component("sgd")), small.federation().schedule
    x = network.initial(0)
    plans = [plan(seed, 1, small.clients, schedule) for seed in range(count)]
    return [Assignment(x, {}, [client.memory(x)] * 4, 0.1, now) for now in plans]


@pytest.mark.parametrize("executor", ["stacked", "threads(workers=1)", "stacked(runs=2)"])
def test_the_loop_computes_what_cannot_be_recorded(small: Small, executor: str) -> None:
    network = Network(lambda: Branching(FEATURES, 3), torch.float64)
    client = CLIENTS.build(CLIENTS.component("sgd"))
    value = EXECUTORS.build(EXECUTORS.component(executor))
    compute = or_by_loop(value, network, small.task, client)
    asked = assignments(small, network, 2)[1]
    cohorts = compute({1: asked}, 2)
    assert cohorts.keys() == {1}
    reference = by_loop(network, small.task, client)({1: asked}, 1)[1]
    assert reference.fallback is None
    assert distance(cohorts[1].mean_update, reference.mean_update) == 0.0
    assert str(cohorts[1].fallback).startswith("a step of this model cannot be recorded (")
    assert "\n" not in str(cohorts[1].fallback)


def test_the_loop_computes_what_cannot_be_replayed(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Recorded, leaves: list[torch.Tensor]) -> list[torch.Tensor]:
        raise RuntimeError("view size is not compatible\nwith anything")

    monkeypatch.setattr(Recorded, "_for_the_first_time", fails)
    network = small.network()
    client = CLIENTS.build(CLIENTS.component("sgd"))
    compute = or_by_loop(
        EXECUTORS.build(EXECUTORS.component("stacked")), network, small.task, client
    )
    asked = dict(enumerate(assignments(small, network, 1)))
    cohort, reference = compute(asked, 1)[0], by_loop(network, small.task, client)(asked, 1)[0]
    assert distance(cohort.mean_update, reference.mean_update) == 0.0
    why = "a step of this model was recorded and cannot be replayed (view size is not compatible)"
    assert cohort.fallback == why


def test_simulate_says_once_that_the_loop_computed_it(small: Small) -> None:
    rows = [np.arange(12 * k, 12 * k + 12) for k in range(5)]
    data = [(small.task.train.inputs[row], small.task.train.targets[row]) for row in rows]
    model = lambda: Branching(FEATURES, 3)  # noqa: E731
    with pytest.warns(UserWarning, match="so it was computed by 'loop', not 'stacked'") as said:
        result = headstart.simulate(model, data, data[0], rounds=3, cohort=2, executor="stacked")
    assert len(said) == 1
    assert str(result.fallback).startswith("a step of this model cannot be recorded (")
    plain = headstart.simulate(model, data, data[0], rounds=3, cohort=2, executor="loop")
    assert plain.fallback is None
    assert all(torch.equal(result.weights[name], leaf) for name, leaf in plain.weights.items())
