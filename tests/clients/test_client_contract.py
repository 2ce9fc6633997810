"""What every registered client optimizer must hold. A new file in headstart/clients is tested here at once."""

import numpy as np
import pytest
import torch
from torch.func import vmap

from headstart.clients.base import CLIENTS
from headstart.parts.registry import Registry

VARIANTS = [
    "sgd(momentum=0.5)",
    "sgd(momentum=0.5, weight_decay=0.1)",
    "gd(momentum=0.5)",
    "proximal(mu=0.5, momentum=0.5)",
    "nova(momentum=0.5)",
    "nova(mu=0.5)",
    "mimelite(base='adam')",
    "mimelite(base='adam', second_moment='frozen')",
]
WRITTEN = [entry.name for entry in CLIENTS] + VARIANTS
RATE, K = 0.1, 3
every_client = pytest.mark.parametrize("written", WRITTEN)


def build(written):
    return CLIENTS.build(CLIENTS.component(written))


def draw(generator, like):
    """Random numbers of the shapes and types of a tree; squares, since a v must not be negative."""
    return {
        name: torch.tensor(generator.normal(size=leaf.shape) ** 2 + 0.1).to(leaf.dtype) for name, leaf in like.items()
    }


def case(client, dtype=torch.float64):
    """The arguments of one round for K clients, with a scalar among the parameters."""
    generator = np.random.default_rng(4)
    x = {"layer.weight": torch.ones(2, 3, dtype=dtype), "gain": torch.tensor(2.0, dtype=dtype)}
    x = draw(generator, x)
    shared = draw(generator, client.shared(x))
    per_client = []
    for steps in (1, 2, 5):
        memory = draw(generator, client.memory(x))
        local = draw(generator, client.begin(x, shared, memory))
        y, g, at_x = (draw(generator, x) for _ in range(3))
        per_client.append((y, local, memory, g, at_x if client.wants_grad_at_x else {}, steps))
    return x, shared, per_client


def stack(parts):
    return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}


def row(tree, i):
    return {name: leaf[i] for name, leaf in tree.items()}


def assert_same(tree, other, rtol=1e-12):
    assert list(tree) == list(other)
    for name in tree:
        np.testing.assert_allclose(tree[name], other[name], rtol=rtol)


def test_the_registry_lists_the_methods_of_the_study():
    assert isinstance(CLIENTS, Registry)
    assert {"sgd", "gd", "proximal", "nova", "mimelite", "scaffold"} <= {entry.name for entry in CLIENTS}
    for entry in CLIENTS:
        assert entry.summary.endswith("."), entry.name
        assert "arXiv" in entry.source, entry.name
        assert all(field.description for field in entry.parameters.model_fields.values()), entry.name


@every_client
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scalar", [float, lambda value: torch.tensor(value, dtype=torch.float64)])
def test_types_are_kept(written, dtype, scalar):
    client = build(written)
    x, shared, per_client = case(client, dtype)
    y, local, memory, g, at_x, steps = per_client[2]
    d, local = client.direction(g, y, x, local, shared, memory)
    upload = client.finish(x, y, torch.tensor(steps), scalar(RATE), at_x, shared, memory)
    delta, new_shared = client.combine(upload.update, upload.message, shared, 0.5)
    for tree in (d, local, *upload, delta, new_shared, client.shared(x), client.memory(x)):
        assert {leaf.dtype for leaf in tree.values()} <= {dtype}


@every_client
def test_vmap_over_clients_equals_the_loop(written):
    client = build(written)
    x, shared, per_client = case(client)
    y, local, memory, g, at_x = (stack(column) for column in list(zip(*per_client, strict=True))[:5])
    steps = torch.tensor([part[5] for part in per_client])
    d, new_local = vmap(client.direction, in_dims=(0, 0, None, 0, None, 0))(g, y, x, local, shared, memory)
    upload = vmap(client.finish, in_dims=(None, 0, 0, None, 0, None, 0))(x, y, steps, RATE, at_x, shared, memory)
    for i, (y_i, local_i, memory_i, g_i, at_x_i, steps_i) in enumerate(per_client):
        d_i, new_local_i = client.direction(g_i, y_i, x, local_i, shared, memory_i)
        assert_same(row(d, i), d_i)
        assert_same(row(new_local, i), new_local_i)
        upload_i = client.finish(x, y_i, steps_i, RATE, at_x_i, shared, memory_i)
        for stacked, single in zip(upload, upload_i, strict=True):
            assert_same(row(stacked, i), single)


@every_client
def test_arguments_are_not_changed_in_place(written):
    client = build(written)
    x, shared, per_client = case(client)
    y, local, memory, g, at_x, steps = per_client[1]
    given = (x, shared, y, local, memory, g, at_x)
    before = [{name: leaf.clone() for name, leaf in tree.items()} for tree in given]
    client.begin(x, shared, memory)
    client.direction(g, y, x, local, shared, memory)
    upload = client.finish(x, y, steps, RATE, at_x, shared, memory)
    client.combine(upload.update, upload.message, shared, 0.5)
    for tree, copy in zip(given, before, strict=True):
        assert list(tree) == list(copy)
        assert all(torch.equal(tree[name], copy[name]) for name in copy)


@every_client
def test_steps_as_a_number_equal_steps_as_a_tensor(written):
    client = build(written)
    x, shared, per_client = case(client)
    for y, _, memory, _, at_x, steps in per_client:
        number, *tensors = (
            client.finish(x, y, count, RATE, at_x, shared, memory)
            for count in (steps, torch.tensor(steps), torch.tensor(steps, dtype=torch.int32))
        )
        for other in tensors:
            for a, b in zip(number, other, strict=True):
                assert_same(a, b, rtol=0)


@every_client
def test_trees_keep_their_names_and_shapes_between_rounds(written):
    client = build(written)
    x, shared, per_client = case(client)
    y, local, memory, g, at_x, steps = per_client[1]

    def layout(tree):
        return {name: leaf.shape for name, leaf in tree.items()}

    d, new_local = client.direction(g, y, x, local, shared, memory)
    upload = client.finish(x, y, steps, RATE, at_x, shared, memory)
    delta, new_shared = client.combine(upload.update, upload.message, shared, 0.5)
    assert layout(d) == layout(upload.update) == layout(delta) == layout(x)
    assert layout(new_local) == layout(local) == layout(client.begin(x, shared, memory))
    assert layout(new_shared) == layout(shared) == layout(client.shared(x))
    assert layout(upload.memory) == layout(memory) == layout(client.memory(x))


@every_client
def test_identical_clients_never_drift_apart_and_equal_one(federate, identical, alone, written):
    client = build(written)
    three = federate(client, identical, steps=[4] * K, rate=RATE, rounds=5)
    one = federate(client, alone, steps=[4], rate=RATE, rounds=5)
    for together, single in zip(three.weights, one.weights, strict=True):
        assert_same(together, single)
    for memory in three.memories:
        assert_same(memory, three.memories[0], rtol=0)
    assert_same(three.memories[0], one.memories[0], rtol=1e-10)


@pytest.mark.parametrize("written", [written for written in WRITTEN if "weight_decay" not in written])
def test_a_cohort_without_gradients_stays_at_x(written):
    client = build(written)
    x, _, _ = case(client)
    zero = {name: torch.zeros_like(leaf) for name, leaf in x.items()}
    shared, memory = client.shared(x), client.memory(x)
    d, _ = client.direction(zero, x, x, client.begin(x, shared, memory), shared, memory)
    upload = client.finish(x, x, 3, RATE, zero if client.wants_grad_at_x else {}, shared, memory)
    delta, _ = client.combine(upload.update, upload.message, shared, 1.0)
    assert_same(d, zero, rtol=0)
    assert_same(delta, zero, rtol=0)
