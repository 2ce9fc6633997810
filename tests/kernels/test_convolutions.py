"""What is recorded in place of some convolutions computes the same,
and nothing else is replaced.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.kernels.convolutions import AS_PRODUCTS
from headstart.trees import channels_last

DRAW = torch.Generator().manual_seed(0)


def recorded(layer: nn.Conv2d, inputs: Tensor, of_inputs: bool) -> tuple[Any, set[str]]:
    """The gradients of a sum of squares and what comes out, replayed;
    and the names of the operations.
    """

    def function(inputs: Tensor, *params: Tensor) -> list[Tensor]:
        leaves = [leaf.detach().requires_grad_() for leaf in (inputs, *params)]
        named = dict(zip(("weight", "bias"), leaves[1:], strict=False))
        outputs = torch.func.functional_call(layer, named, (leaves[0] if of_inputs else inputs,))
        return [
            outputs,
            *torch.autograd.grad((outputs**2).sum(), leaves if of_inputs else leaves[1:]),
        ]

    params = [leaf.detach() for leaf in layer.parameters()]
    module = make_fx(function, AS_PRODUCTS, tracing_mode="fake", _allow_non_fake_inputs=True)(
        inputs, *params
    )
    names = {
        str(node.target) for node in module.graph.nodes if "aten.convolution" in str(node.target)
    }
    return list(zip(module(inputs, *params), function(inputs, *params), strict=True)), names


def images(channels: int = 3, pixels: tuple[int, int] = (4, 5)) -> Tensor:
    return torch.randn(2, channels, *pixels, generator=DRAW, dtype=torch.float64)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("of_inputs", [False, True])
@pytest.mark.parametrize(
    ("kernel", "padding", "pixels"),
    [
        (1, 0, (4, 5)),
        (3, 1, (3, 3)),
        (3, 0, (4, 5)),
        ((1, 3), (0, 1), (2, 4)),
        ((3, 2), (1, 0), (3, 4)),
        (5, 2, (3, 2)),  # taps that only ever meet padding: some
        (3, 1, (1, 1)),  # all but one
        (3, 2, (1, 2)),  # every output pixel sees some padding, and some see only that
    ],
)
def test_products_are_the_convolution(
    kernel: Any, padding: Any, pixels: tuple[int, int], of_inputs: bool, bias: bool
) -> None:
    layer = nn.Conv2d(3, 7, kernel, padding=padding, bias=bias, dtype=torch.float64)
    inputs = images(3, pixels).contiguous(memory_format=torch.channels_last)
    couples, convolutions = recorded(layer, inputs, of_inputs)
    assert not convolutions
    assert len(couples) == 2 + bias + of_inputs
    for ours, theirs in couples:
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    for ours, _ in couples[: 2 if of_inputs else 1]:
        assert ours.is_contiguous(memory_format=torch.channels_last)


def test_the_layout_is_that_of_a_convolution() -> None:
    couples, _ = recorded(
        nn.Conv2d(3, 7, 1), images().float().contiguous(memory_format=torch.channels_last), True
    )
    assert [ours.stride() for ours, _ in couples[:2]] == [
        theirs.stride() for _, theirs in couples[:2]
    ]


@pytest.mark.parametrize(
    ("settings", "layout"),
    [
        ({"kernel_size": 1}, torch.contiguous_format),
        ({"kernel_size": 3, "padding": 1}, torch.channels_last),  # 2 * 4 * 5 pixels for 6 filters
        ({"kernel_size": (1, 2)}, torch.channels_last),
        ({"kernel_size": 3}, torch.contiguous_format),
        ({"kernel_size": 3, "stride": 2}, torch.channels_last),
        ({"kernel_size": 2, "dilation": 2}, torch.channels_last),
        ({"kernel_size": 3, "groups": 2}, torch.channels_last),
        ({"kernel_size": 1, "stride": 2}, torch.channels_last),
        ({"kernel_size": 1, "padding": 1}, torch.channels_last),
        ({"kernel_size": 1, "groups": 2}, torch.channels_last),
    ],
)
def test_anything_else_stays_a_convolution(
    settings: dict[str, Any], layout: torch.memory_format
) -> None:
    layer = nn.Conv2d(4, 6, **settings, dtype=torch.float64)
    couples, convolutions = recorded(
        layer, images(4).contiguous(memory_format=layout), of_inputs=True
    )
    assert convolutions == {"aten.convolution.default", "aten.convolution_backward.default"}
    assert all(torch.equal(ours, theirs) for ours, theirs in couples)


def test_images_of_one_channel_count_as_channels_last() -> None:
    """Torch would compute on a copy with channels first, and copy back what comes out of it."""
    inputs = channels_last(torch.ones(2, 1, 4, 5))
    assert inputs.stride() == (20, 1, 5, 1)
    assert torch.nn.functional.conv2d(inputs, torch.ones(3, 1, 3, 3)).is_contiguous(
        memory_format=torch.channels_last
    )
