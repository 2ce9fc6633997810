"""The simulation beside an app is the study's own, and does clients one by one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.export.chosen import begin_with, origin_of
from headstart.export.conformance.simulated import Simulated, Way, mean
from headstart.servers.base import SERVERS

from ..conftest import Choose


def simulated(out: Path, choose: Choose, client: str, server: str = "adam") -> Simulated:
    recipe = choose(client, server).recipe
    return Simulated.of(recipe, origin_of(out), begin_with(recipe, out).state, torch.float32)


def test_it_ends_in_the_weights_of_the_study(out: Path, choose: Choose) -> None:
    beside = simulated(out, choose, "scaffold")
    for _ in range(3):
        x = beside.go_on()
    ended = load_file(out / "runs" / choose("scaffold").recipe.run / "weights.safetensors")
    for name, leaf in ended.items():
        torch.testing.assert_close(x[name], leaf, rtol=0, atol=0)


@pytest.mark.parametrize("client", ["sgd", "nova", "scaffold"])
def test_its_clients_and_its_step_make_the_round(client: str, out: Path, choose: Choose) -> None:
    beside = simulated(out, choose, client)
    beside.go_on()
    plan = beside.plan(2)
    works = [beside.work(2, int(one)).upload for one in plan.clients_K]
    masses = [float(beside.federation.clients.sizes_N[one]) for one in plan.clients_K]
    means = (
        mean([one.update for one in works], masses),
        mean([one.message for one in works], masses),
    )
    adam = SERVERS.build(SERVERS.component("adam"))
    stepped, replayed = beside.step(2, means), beside.step(2, means, adam)
    x = beside.go_on()
    for name, leaf in x.items():
        torch.testing.assert_close(stepped[name], leaf, rtol=1e-6, atol=1e-7)
        assert replayed[name].equal(stepped[name])


def test_another_way_of_a_client_is_another_change(out: Path, choose: Choose) -> None:
    beside = simulated(out, choose, "sgd")
    client = int(beside.plan(1).clients_K[0])
    asked = beside.work(1, client).delta
    nova = CLIENTS.build(CLIENTS.component("nova"))
    assert trees.norm(trees.subtract(asked, beside.work(1, client, Way(nova)).delta)) == 0
    full = CLIENTS.build(CLIENTS.component("gd"))
    for way in (Way(full), Way(in_order=True)):
        assert trees.norm(trees.subtract(asked, beside.work(1, client, way).delta)) > 0


def test_other_local_epochs_are_those_of_clients_whose_devices_are_even(
    out: Path, choose: Choose
) -> None:
    beside = simulated(out, choose, "sgd")
    changes = []
    for client in map(int, beside.plan(1).clients_K):
        asked, more = beside.work(1, client), beside.work(1, client, Way(local_epochs=5))
        changes.append(float(trees.norm(trees.subtract(asked.delta, more.delta))))
    assert min(changes) == 0 < max(changes)


def test_a_mean_is_weighted() -> None:
    one, two = {"w": torch.tensor([1.0])}, {"w": torch.tensor([4.0])}
    assert mean([one, two], [2.0, 1.0])["w"].item() == 2.0
