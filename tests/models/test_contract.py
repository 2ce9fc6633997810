"""What every registered model keeps; a new one is tested here as soon as it is registered."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.tasks.base import classification
from headstart.testing.models import (
    CONTRACT,
    OUTPUTS,
    Batch,
    batch,
    has_gradients_of_each_client,
)

IMAGES: list[tuple[int, ...]] = [(1, 8, 8), (3, 32, 32)]
ENTRIES = {entry.name: entry for entry in MODELS}
WORDS = {"lstm": [(6,)], "gpt2": [(6,)], "charlm": [(6, 7)]}
"""Rows of tokens, or of spelled words, for models of text."""
LARGER = {"squeezenet1_0": [(1, 21, 21), (3, 32, 32)]}
"""Images for models that refuse smaller ones."""
CASES = [(name, shape) for name in ENTRIES for shape in WORDS.get(name) or LARGER.get(name, IMAGES)]  # type: ignore[attr-defined]


def network(name: str, shape: tuple[int, ...], **parameters: Any) -> Network:
    if name == "gpt2":
        pytest.importorskip("transformers")
    component = MODELS.component({name: parameters})
    return Network(lambda: MODELS.build(component, shape, OUTPUTS), torch.float64)


def dropping(name: str) -> list[dict[str, float]]:
    """No parameter, and some dropout where the model has any."""
    has_dropout = "dropout" in ENTRIES[name].parameters.model_fields
    return [{}, {"dropout": 0.4}] if has_dropout else [{}]


@pytest.mark.parametrize(("name", "shape"), CASES)
@pytest.mark.parametrize("rule", CONTRACT)
def test_it_keeps_the_contract(
    rule: Callable[[Network, Batch], None], name: str, shape: tuple[int, ...]
) -> None:
    ways = dropping(name) if rule is has_gradients_of_each_client else [{}]
    for parameters in ways:
        rule(network(name, shape, **parameters), batch(shape))


def test_the_logistic_gradient_is_that_of_the_textbook() -> None:
    net = network("logistic", (1, 8, 8))
    params = {leaf: value.requires_grad_() for leaf, value in net.initial(0).items()}
    inputs, labels = (part[0] for part in batch((1, 8, 8)))
    classification(net(params, inputs), labels).loss_B.sum().backward()
    residual = torch.softmax(net(params, inputs), -1) - torch.nn.functional.one_hot(labels, OUTPUTS)
    torch.testing.assert_close(
        params["1.weight"].grad, residual.T @ inputs.flatten(1), rtol=1e-12, atol=1e-12
    )
    torch.testing.assert_close(params["1.bias"].grad, residual.sum(0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "pixels"), [((1, 8, 8), 4), ((3, 32, 32), 16), ((1, 28, 28), 9), ((2, 3, 5), 15)]
)
def test_the_small_cnn_has_the_size_it_says(shape: tuple[int, ...], pixels: int) -> None:
    layers = [(shape[0], 16), (16, 32), (32, 64)]
    expected = sum(9 * a * b + b for a, b in layers) + pixels * 64 * OUTPUTS + OUTPUTS
    assert sum(leaf.numel() for leaf in network("small-cnn", shape).initial(0).values()) == expected


def test_the_mlp_without_hidden_layers_is_the_logistic_model() -> None:
    assert (
        network("mlp", (1, 8, 8), hidden=[]).initial(3).keys()
        == network("logistic", (1, 8, 8)).initial(3).keys()
    )
    widths = [
        leaf.shape[0]
        for leaf in network("mlp", (1, 8, 8), hidden=[7, 9]).initial(0).values()
        if leaf.ndim == 2
    ]
    assert widths == [7, 9, OUTPUTS]


def test_the_small_cnn_refuses_what_is_no_image() -> None:
    with pytest.raises(HeadstartError, match=r"needs images .* got inputs \[64\]"):
        network("small-cnn", (64,))


def test_the_cnn_of_reddi_et_al_has_the_number_of_parameters_of_their_table() -> None:
    """arXiv 2003.00295, Table 4: 320 + 18,496 + 1,179,776 + 7,998."""
    module = MODELS.build(MODELS.component("cnn"), (1, 28, 28), 62)
    assert sum(leaf.numel() for leaf in module.parameters()) == 320 + 18_496 + 1_179_776 + 7_998
