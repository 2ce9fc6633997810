"""What every registered server optimizer must hold, with every preset;
a new file is held to it at once.
"""

from collections.abc import Callable

import pytest
import torch

from headstart import trees
from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.testing.servers import (
    CONTRACT,
    goes_downhill_at_first,
    stays_without_a_pseudo_gradient,
    tree,
)


def written_ways() -> list[str]:
    """Each server optimizer with its defaults and each preset, and some of their parameters."""
    ways = ["momentum(nesterov=True)", "momentum(dampening=0.5)", "adagrad(beta1=0.9)"]
    ways.append("adam(weight_decay=0.1)")
    for entry in SERVERS:
        ways.append(entry.name)
        ways += [f"{entry.name}@{preset}" for preset in sorted(entry.presets)]
    return ways


WRITTEN = written_ways()
DECAYING = [one for one in WRITTEN if dict(SERVERS.component(one).parameters).get("weight_decay")]


def build(written: str) -> ServerOptimizer:
    return SERVERS.build(SERVERS.component(written))


def test_the_registry_lists_the_methods_of_the_study() -> None:
    assert {"sgd", "momentum", "adam", "yogi", "adagrad"} <= {entry.name for entry in SERVERS}
    for entry in SERVERS:
        assert "arXiv" in entry.source, entry.name
        for field in entry.parameters.model_fields.values():
            assert field.description, entry.name


@pytest.mark.parametrize("name", ["momentum", "adam", "yogi", "adagrad"])
def test_the_papers_preset_is_the_default(name: str) -> None:
    (paper,) = {"hsu2019", "reddi2021"} & set(SERVERS.entry(name).presets)
    default = SERVERS.component(name).parameters
    assert SERVERS.component(f"{name}@{paper}").parameters == default


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("rule", CONTRACT)
def test_it_keeps_the_contract(rule: Callable[[ServerOptimizer], None], written: str) -> None:
    rule(build(written))


@pytest.mark.parametrize("written", [one for one in WRITTEN if one not in DECAYING])
def test_a_zero_pseudo_gradient_from_the_initial_state_stays(written: str) -> None:
    stays_without_a_pseudo_gradient(build(written))


@pytest.mark.parametrize("written", DECAYING)
def test_weight_decay_moves_weights_without_a_pseudo_gradient(written: str) -> None:
    server, x = build(written), tree(0)
    moved, _ = server.update(trees.zeros_like(x), server.init(x), x, 0.1)
    for name, leaf in x.items():
        assert not torch.equal(moved[name], leaf), name


@pytest.mark.parametrize("written", [one for one in WRITTEN if "weight_decay" not in one])
def test_the_first_step_goes_downhill_in_every_coordinate(written: str) -> None:
    goes_downhill_at_first(build(written))
