"""Weights that a program gives are a start; what does not fit is named by their name."""

import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.weights import NOTHING
from headstart.study.given.start import start_of
from headstart.tasks.base import TASKS, Task


def network(outputs: int = 10) -> Network:
    return Network(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs)))


def task() -> Task:
    return TASKS.build(TASKS.component("digits"))


def test_the_weights_are_where_a_run_begins() -> None:
    given = {"1.weight": torch.full((10, 64), 0.5), "1.bias": torch.arange(10.0)}
    found = start_of(given, "ours")().weights(NOTHING, network(), task(), 0)
    assert {name: leaf.tolist() for name, leaf in found.items()} == {
        name: leaf.tolist() for name, leaf in given.items()
    }


def test_weights_of_another_model_are_named() -> None:
    wrong = start_of({"deep.weight": torch.zeros(3, 3)}, "ours")()
    with pytest.raises(HeadstartError, match="the weights 'ours'") as caught:
        wrong.check(network(), task(), lambda of: network())
    assert "headstart-weights-" not in str(caught.value)
