"""Dropout layers of a module follow the key, wherever they are and however often they are used."""

import pytest
import torch
from torch import Tensor, nn

from headstart.models.network import Network

INPUTS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


KEY = torch.tensor(11, dtype=torch.int32)


class Twice(nn.Module):
    """One dropout layer, used two times."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([self.drop(inputs), self.drop(inputs)], -1)


def test_nested_dropout_layers_are_told_apart_and_follow_the_key() -> None:
    network = Network(
        lambda: nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.Sequential(nn.Dropout(0.5)))
    )
    one_layer = Network(lambda: nn.Sequential(nn.Sequential(nn.Dropout(0.5))))
    ones = torch.ones(64, 64)
    twice, once = network({}, ones, KEY) != 0, one_layer({}, ones, KEY) != 0
    assert torch.equal(twice & once, twice)  # the first layer draws the same in both networks
    assert twice.double().mean().item() == pytest.approx(0.25, abs=4.9 * (0.25 * 0.75) ** 0.5 / 64)
    assert not torch.equal(twice, network({}, ones, KEY + 1) != 0)


def test_a_bare_dropout_follows_the_key() -> None:
    network = Network(lambda: nn.Dropout(0.5))
    ones = torch.ones(64, 64)
    assert torch.equal(network({}, ones, KEY), network({}, ones, KEY))
    agreeing = (network({}, ones, KEY) == network({}, ones, KEY + 1)).double().mean().item()
    assert agreeing == pytest.approx(0.5, abs=4.9 * 0.5 / 64)


def test_a_layer_used_twice_draws_twice_and_the_same_in_the_next_pass() -> None:
    network = Network(Twice)
    outputs = network({}, torch.ones(64, 64), KEY)
    agreeing = (outputs[:, :64] == outputs[:, 64:]).double().mean().item()
    assert agreeing == pytest.approx(0.5, abs=4.9 * 0.5 / 64)
    assert torch.equal(outputs, network({}, torch.ones(64, 64), KEY))


def test_a_dropout_layer_under_two_names_is_replaced_under_both() -> None:
    def build() -> nn.Module:
        shared = nn.Dropout(0.5)
        return nn.Sequential(nn.Linear(4, 3), shared, nn.Linear(3, 3), shared)

    network = Network(build)
    network.check(INPUTS, 3)
    params = network.initial(0)
    assert torch.equal(network(params, INPUTS, KEY), network(params, INPUTS, KEY))
