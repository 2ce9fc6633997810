"""A start of somebody's own is held to the contract, and a wrong one is found out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headstart import trees
from headstart.models.network import Network
from headstart.parts.origin import Origin, within
from headstart.starts.base import STARTS, Artefact, Build, Start
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.testing import starts
from headstart.trees import Tree

OWN = """
from headstart import trees
from headstart.starts.base import Artefact, Start
from headstart.starts.weights import Weights

def halved(*, seed: int = 0) -> Start:
    '''Half of the weights that a network is drawn with, the same for every run.'''

    def make(build, task):
        network = build(task)
        return Weights.of(trees.scale(network.state(seed), 0.5), network, task)

    def weights(artefact, network, task, seed):
        return trees.map_tree(lambda leaf: leaf.clone(), artefact.state)

    return Start(weights, Artefact(f"half of seed {seed}", make))
"""


@pytest.fixture
def halved(tmp_path: Path) -> Start:
    (tmp_path / "own_start.py").write_text(OWN)
    with within(Origin(tmp_path, allow=())):
        return STARTS.build(STARTS.component("own_start:halved(seed=7)"))


@pytest.mark.parametrize("rule", starts.CONTRACT)
def test_a_start_of_ones_own_keeps_the_contract(
    rule: Callable[[Start, Task, Build], None], halved: Start
) -> None:
    rule(halved, starts.task_of_images(), starts.linear_model)


def of_another_model(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
    return {"weight": torch.zeros(2, 3)}


def from_the_global_generator(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
    return trees.map_tree(torch.rand_like, network.state(0))


def the_artefact_itself(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
    return artefact.state


def one_text(network: Network, task: Task, build: Build) -> str:
    return "the head is new"


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"weights": of_another_model}, starts.has_the_weights_of_the_model),
        ({"weights": from_the_global_generator}, starts.is_a_function_of_the_seed),
        ({"weights": the_artefact_itself}, starts.leaves_its_artefact_as_it_is),
        ({"check": one_text}, starts.is_checked_without_being_made),
        (
            {"artefact": Artefact("", lambda build, task: Weights({}))},
            starts.is_checked_without_being_made,
        ),
    ],
)
def test_a_start_that_breaks_a_rule_is_found_out(
    halved: Start, wrong: dict[str, object], rule: Callable[[Start, Task, Build], None]
) -> None:
    with pytest.raises(AssertionError):
        rule(replace(halved, **wrong), starts.task_of_images(), starts.linear_model)  # type: ignore[arg-type]
