"""What is recorded in place of 1x1 convolutions computes the same, in the same layout, and nothing else is replaced."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.engine.executors.pointwise import AS_PRODUCTS

DRAW = torch.Generator().manual_seed(0)


def recorded(layer: nn.Conv2d, inputs: Tensor, of_inputs: bool) -> tuple[Any, set[str]]:
    """The gradients of a sum of squares and what comes out, replayed; and the names of the operations."""

    def function(inputs: Tensor, *params: Tensor) -> list[Tensor]:
        leaves = [leaf.detach().requires_grad_() for leaf in (inputs, *params)]
        named = dict(zip(("weight", "bias"), leaves[1:], strict=False))
        outputs = torch.func.functional_call(layer, named, (leaves[0] if of_inputs else inputs,))
        return [outputs, *torch.autograd.grad((outputs**2).sum(), leaves if of_inputs else leaves[1:])]

    params = [leaf.detach() for leaf in layer.parameters()]
    module = make_fx(function, AS_PRODUCTS, tracing_mode="fake", _allow_non_fake_inputs=True)(inputs, *params)
    names = {str(node.target) for node in module.graph.nodes if "aten.convolution" in str(node.target)}
    return list(zip(module(inputs, *params), function(inputs, *params), strict=True)), names


def images(channels: int = 3) -> Tensor:
    return torch.randn(2, channels, 4, 5, generator=DRAW, dtype=torch.float64)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("of_inputs", [False, True])
def test_products_are_the_convolution(bias: bool, of_inputs: bool) -> None:
    layer = nn.Conv2d(3, 7, 1, bias=bias, dtype=torch.float64)
    couples, convolutions = recorded(layer, images().contiguous(memory_format=torch.channels_last), of_inputs)
    assert not convolutions
    assert len(couples) == 2 + bias + of_inputs
    for ours, theirs in couples:
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    for ours, theirs in couples[: 2 if of_inputs else 1]:
        assert ours.is_contiguous(memory_format=torch.channels_last)
        assert ours.stride() == theirs.stride()


@pytest.mark.parametrize(
    ("settings", "layout"),
    [
        ({"kernel_size": 1}, torch.contiguous_format),
        ({"kernel_size": 3}, torch.channels_last),
        ({"kernel_size": (1, 3)}, torch.channels_last),
        ({"kernel_size": 1, "stride": 2}, torch.channels_last),
        ({"kernel_size": 1, "padding": 1}, torch.channels_last),
        ({"kernel_size": 1, "groups": 2}, torch.channels_last),
    ],
)
def test_anything_else_stays_a_convolution(settings: dict[str, Any], layout: torch.memory_format) -> None:
    layer = nn.Conv2d(4, 6, **settings, dtype=torch.float64)
    couples, convolutions = recorded(layer, images(4).contiguous(memory_format=layout), of_inputs=True)
    assert convolutions == {"aten.convolution.default", "aten.convolution_backward.default"}
    assert all(torch.equal(ours, theirs) for ours, theirs in couples)
