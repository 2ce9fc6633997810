"""What every registered server optimizer must hold, with every preset. A new file is tested here at once."""

import numpy as np
import pytest
import torch
from torch.func import vmap

from headstart.servers.base import SERVERS

WRITTEN = [
    entry.name + (f"@{preset}" if preset else "") for entry in SERVERS for preset in (None, *sorted(entry.presets))
] + ["momentum(nesterov=True)", "momentum(dampening=0.5)", "adagrad(beta1=0.9)", "adam(weight_decay=0.1)"]
every_server = pytest.mark.parametrize("written", WRITTEN)


def build(written):
    return SERVERS.build(SERVERS.component(written))


def draw(seed, dtype=torch.float64):
    """A matrix and a scalar."""
    generator = np.random.default_rng(seed)
    return {
        "layer.weight": torch.tensor(generator.normal(size=(2, 3)), dtype=dtype),
        "gain": torch.tensor(generator.normal(), dtype=dtype),
    }


def clone(tree):
    return {name: leaf.clone() for name, leaf in tree.items()}


def assert_equal(tree, other):
    assert list(tree) == list(other)
    assert all(torch.equal(tree[name], other[name]) for name in tree)


def test_the_registry_lists_the_methods_of_the_study():
    assert {"sgd", "momentum", "adam", "yogi", "adagrad"} <= {entry.name for entry in SERVERS}
    for entry in SERVERS:
        assert "arXiv" in entry.source, entry.name
        assert all(field.description for field in entry.parameters.model_fields.values()), entry.name


@pytest.mark.parametrize("name", ["momentum", "adam", "yogi", "adagrad"])
def test_the_papers_preset_is_the_default(name):
    (paper,) = (preset for preset in SERVERS.entry(name).presets if preset in ("hsu2019", "reddi2021"))
    assert SERVERS.component(f"{name}@{paper}").parameters == SERVERS.component(name).parameters


@every_server
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_and_names_are_kept_between_rounds(written, dtype):
    server, x = build(written), draw(0, dtype)
    state = server.init(x)
    layout = {name: (leaf.shape, leaf.dtype) for name, leaf in state.items()}
    for round_ in range(3):
        new_x, state = server.update(draw(round_ + 1, dtype), state, x, 0.1)
        assert {name: (leaf.shape, leaf.dtype) for name, leaf in state.items()} == layout
        assert {name: (leaf.shape, leaf.dtype) for name, leaf in new_x.items()} == {
            name: (leaf.shape, dtype) for name, leaf in x.items()
        }
        x = new_x


@every_server
def test_update_is_pure(written):
    server, x, delta = build(written), draw(0), draw(1)
    _, state = server.update(draw(2), server.init(x), x, 0.1)
    before = clone(x), clone(delta), clone(state)
    first, second = (server.update(delta, state, x, 0.1) for _ in range(2))
    for given, copy in zip((x, delta, state), before, strict=True):
        assert_equal(given, copy)
    for a, b in zip(first, second, strict=True):
        assert_equal(a, b)


@every_server
def test_a_zero_pseudo_gradient_from_the_initial_state_stays(written):
    server, x = build(written), draw(0)
    moved, _ = server.update({name: torch.zeros_like(leaf) for name, leaf in x.items()}, server.init(x), x, 0.1)
    if dict(SERVERS.component(written).parameters).get("weight_decay", 0.0):
        assert not any(torch.equal(moved[name], x[name]) for name in x)
    else:
        assert_equal(moved, x)


@pytest.mark.parametrize("written", [written for written in WRITTEN if "weight_decay" not in written])
def test_the_first_step_goes_downhill_in_every_coordinate(written):
    server, x, delta = build(written), draw(0), draw(1)
    moved, _ = server.update(delta, server.init(x), x, 0.1)
    assert all(torch.equal(torch.sign(x[name] - moved[name]), torch.sign(delta[name])) for name in x)


@every_server
def test_vmap_over_runs_equals_the_loop(written):
    """Several runs of a study may be stacked along a leading axis."""
    server, xs, deltas = build(written), [draw(0), draw(1)], [draw(2), draw(3)]
    states = [server.update(draw(4), server.init(x), x, 0.1)[1] for x in xs]

    def stack(parts):
        return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}

    stacked = vmap(server.update, in_dims=(0, 0, 0, None))(stack(deltas), stack(states), stack(xs), 0.1)
    for i, (delta, state, x) in enumerate(zip(deltas, states, xs, strict=True)):
        for whole, single in zip(stacked, server.update(delta, state, x, 0.1), strict=True):
            for name in single:
                np.testing.assert_allclose(whole[name][i], single[name], rtol=1e-12)
