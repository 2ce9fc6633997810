"""What every registered model keeps; a new one is tested here as soon as it is registered."""

import pytest
import torch
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.tasks.base import classification
from headstart.trees import Tree

IMAGES: list[tuple[int, ...]] = [(1, 8, 8), (3, 32, 32)]
OUTPUTS = 5
ENTRIES = {entry.name: entry for entry in MODELS}
WORDS = {"lstm": [(6,)], "gpt2": [(6,)], "charlm": [(6, 7)]}
"""Rows of tokens, or of spelled words, for models of text."""
LARGER = {"squeezenet1_0": [(1, 21, 21), (3, 32, 32)]}
"""Images for models that refuse smaller ones."""
CASES = [(name, shape) for name in ENTRIES for shape in WORDS.get(name) or LARGER.get(name, IMAGES)]
SMALLEST = dict(reversed(CASES))


def network(name: str, shape: tuple[int, ...], **parameters: object) -> Network:
    if name == "gpt2":
        pytest.importorskip("transformers")
    component = MODELS.component({name: parameters})
    return Network(lambda: MODELS.build(component, shape, OUTPUTS), torch.float64)


def batch(shape: tuple[int, ...], clients: int = 3, rows: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    if len(shape) < 3:
        inputs = torch.randint(OUTPUTS, (clients, rows, *shape), generator=generator)
        return inputs, torch.randint(OUTPUTS, (clients, rows, shape[0]), generator=generator)
    inputs = torch.randn(clients, rows, *shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(OUTPUTS, (clients, rows), generator=generator)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_it_passes_the_check_of_a_network(name: str, shape: tuple[int, ...]) -> None:
    network(name, shape).check(batch(shape)[0][0], OUTPUTS)


@pytest.mark.parametrize(("name", "shape"), CASES)
@pytest.mark.parametrize("dropout", [False, True])
def test_gradients_of_clients_are_the_same_together_and_alone(name: str, shape: tuple[int, ...], dropout: bool) -> None:
    if dropout and "dropout" not in ENTRIES[name].parameters.model_fields:
        pytest.skip("has no dropout")
    net = network(name, shape, **({"dropout": 0.4} if dropout else {}))
    inputs, labels = batch(shape)
    keys = torch.tensor([1, 2, 3], dtype=torch.int32)
    weights = [net.initial(seed) for seed in range(3)]
    stacked = {leaf: torch.stack([one[leaf] for one in weights]) for leaf in weights[0]}

    def loss(params: Tree, inputs: Tensor, labels: Tensor, key: Tensor) -> Tensor:
        return classification(net(params, inputs, key), labels).loss_B.mean()

    gradient = torch.func.grad(loss)
    together = torch.func.vmap(gradient)(stacked, inputs, labels, keys)
    for client, params in enumerate(weights):
        alone = gradient(params, inputs[client], labels[client], keys[client])
        for leaf in alone:
            torch.testing.assert_close(together[leaf][client], alone[leaf], rtol=1e-12, atol=1e-12)
            assert alone[leaf].abs().max() > 0, leaf  # every parameter takes part


@pytest.mark.parametrize(("name", "shape"), SMALLEST.items())
def test_initial_weights_are_a_function_of_the_seed(name: str, shape: tuple[int, ...]) -> None:
    net = network(name, shape)
    state = torch.get_rng_state()
    one, same, other = net.initial(1), net.initial(1), net.initial(2)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[leaf], same[leaf]) for leaf in one)
    assert any(not torch.equal(one[leaf], other[leaf]) for leaf in one)


@pytest.mark.parametrize(("name", "shape"), SMALLEST.items())
def test_rows_do_not_influence_each_other(name: str, shape: tuple[int, ...]) -> None:
    net = network(name, shape)
    params, inputs = net.initial(0), batch(shape)[0][0]
    alone = torch.cat([net(params, row[None]) for row in inputs])
    torch.testing.assert_close(net(params, inputs), alone, rtol=1e-12, atol=1e-12)


def test_the_logistic_gradient_is_that_of_the_textbook() -> None:
    net = network("logistic", (1, 8, 8))
    params = {leaf: value.requires_grad_() for leaf, value in net.initial(0).items()}
    inputs, labels = (part[0] for part in batch((1, 8, 8)))
    classification(net(params, inputs), labels).loss_B.sum().backward()
    residual = torch.softmax(net(params, inputs), -1) - torch.nn.functional.one_hot(labels, OUTPUTS)
    torch.testing.assert_close(params["1.weight"].grad, residual.T @ inputs.flatten(1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(params["1.bias"].grad, residual.sum(0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shape", "pixels"), [((1, 8, 8), 4), ((3, 32, 32), 16), ((1, 28, 28), 9), ((2, 3, 5), 15)])
def test_the_small_cnn_has_the_size_it_says(shape: tuple[int, ...], pixels: int) -> None:
    layers = [(shape[0], 16), (16, 32), (32, 64)]
    expected = sum(9 * a * b + b for a, b in layers) + pixels * 64 * OUTPUTS + OUTPUTS
    assert sum(leaf.numel() for leaf in network("small-cnn", shape).initial(0).values()) == expected


def test_the_mlp_without_hidden_layers_is_the_logistic_model() -> None:
    assert network("mlp", (1, 8, 8), hidden=[]).initial(3).keys() == network("logistic", (1, 8, 8)).initial(3).keys()
    widths = [leaf.shape[0] for leaf in network("mlp", (1, 8, 8), hidden=[7, 9]).initial(0).values() if leaf.ndim == 2]
    assert widths == [7, 9, OUTPUTS]


def test_the_small_cnn_refuses_what_is_no_image() -> None:
    with pytest.raises(HeadstartError, match=r"needs images .* got inputs \[64\]"):
        network("small-cnn", (64,))


def test_the_cnn_of_reddi_et_al_has_the_number_of_parameters_of_their_table() -> None:
    """arXiv 2003.00295, Table 4: 320 + 18,496 + 1,179,776 + 7,998."""
    module = MODELS.build(MODELS.component("cnn"), (1, 28, 28), 62)
    assert sum(leaf.numel() for leaf in module.parameters()) == 320 + 18_496 + 1_179_776 + 7_998
