"""The fused layer has torch's numbers and gradients, recorded and for many clients at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, hessian, vmap

from headstart.kernels.group_norm import FusedGroupNorm
from headstart.kernels.recorded import Traced
from headstart.models.conversion.group_norm import with_fused_group_norm

DRAW = torch.Generator().manual_seed(0)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=DRAW, dtype=torch.float64)


def loss_of(layer: nn.Module, shape: tuple[int, ...]) -> Callable[..., Tensor]:
    """A loss whose gradients differ from place to place."""
    factors = drawn(*shape)

    def loss(weight: Tensor, bias: Tensor, inputs: Tensor) -> Tensor:
        outputs = functional_call(layer, {"weight": weight, "bias": bias}, (inputs,))
        return (outputs.sin() * factors).sum()

    return loss


def both(groups: int, shape: tuple[int, ...], **settings: Any) -> list[Callable[..., Tensor]]:
    """The loss with torch's own layer and with ours."""
    torchs = nn.GroupNorm(groups, shape[1], **settings)
    ours = with_fused_group_norm(nn.GroupNorm(groups, shape[1], **settings))
    assert type(ours) is FusedGroupNorm
    factors = DRAW.get_state()
    losses = []
    for layer in (torchs, ours):
        DRAW.set_state(factors)
        losses.append(loss_of(layer, shape))
    return losses


CASES = [(2, (3, 4, 5, 6)), (4, (2, 4, 3)), (1, (2, 6)), (3, (1, 6, 2, 2))]


@pytest.mark.parametrize(("groups", "shape"), CASES)
@pytest.mark.parametrize("last", [False, True])
def test_its_gradients_are_torchs(groups: int, shape: tuple[int, ...], last: bool) -> None:
    inputs = drawn(*shape)
    if last and len(shape) == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    arguments = drawn(shape[1]), drawn(shape[1]), inputs
    torchs, ours = (grad(loss, (0, 1, 2))(*arguments) for loss in both(groups, shape))
    for expected, got in zip(torchs, ours, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_it_keeps_its_epsilon() -> None:
    """Where the variance is as small as epsilon, epsilon counts."""
    arguments = torch.ones(4).double(), torch.zeros(4).double(), 0.1 * drawn(2, 4, 3)
    torchs, ours = (grad(loss, (0, 1, 2))(*arguments) for loss in both(2, (2, 4, 3), eps=0.01))
    for expected, got in zip(torchs, ours, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_a_recording_has_the_fused_gradient_once() -> None:
    torchs, ours = both(2, (3, 4, 5, 6))
    arguments = drawn(4), drawn(4), drawn(3, 4, 5, 6)
    traced = Traced(grad(ours, (0, 1, 2)))
    expected = grad(torchs, (0, 1, 2))(*arguments)
    for one, got in zip(expected, traced(*arguments), strict=True):
        torch.testing.assert_close(got, one, rtol=1e-12, atol=1e-12)
    (recorded,) = traced._recorded.values()
    names = [str(node.target) for node in recorded._module.graph.nodes]  # type: ignore[union-attr]
    assert names.count("aten.native_group_norm_backward.default") == 1
    assert not [name for name in names if name.startswith(("aten.rsqrt", "aten.pow"))]


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4), (0, 1, 4, 2, 3), (1, 0, 2, 3, 4), (1, 2, 0, 3, 4)]
)
def test_clients_at_once_have_each_their_own_gradient(order: tuple[int, ...]) -> None:
    """However their images lie in memory."""
    torchs, ours = both(2, (3, 4, 5, 6))
    images = drawn(*[(7, 3, 4, 5, 6)[axis] for axis in np.argsort(order)]).permute(*order)
    arguments = drawn(7, 4), drawn(7, 4), images
    got = vmap(grad(ours, (0, 1, 2)))(*arguments)
    for k in range(7):
        expected = grad(torchs, (0, 1, 2))(*(leaf[k] for leaf in arguments))
        for of_all, one in zip(got, expected, strict=True):
            torch.testing.assert_close(of_all[k], one, rtol=1e-12, atol=1e-12)


def test_in_evaluation_it_has_a_hessian() -> None:
    layer = with_fused_group_norm(nn.GroupNorm(2, 4)).eval()
    arguments = drawn(4), drawn(4), drawn(2, 4, 3)
    DRAW.manual_seed(1)
    ours = loss_of(layer, (2, 4, 3))
    DRAW.manual_seed(1)
    torchs = loss_of(nn.GroupNorm(2, 4), (2, 4, 3))
    torch.testing.assert_close(
        hessian(ours)(*arguments), hessian(torchs)(*arguments), rtol=1e-12, atol=1e-12
    )


def test_a_layer_without_weights_and_one_of_ones_own_are_left_alone() -> None:
    class Own(nn.GroupNorm):
        pass

    inputs = drawn(2, 4, 3)
    plain = with_fused_group_norm(nn.GroupNorm(2, 4, affine=False))
    assert torch.equal(plain(inputs), nn.GroupNorm(2, 4, affine=False)(inputs))
    assert type(with_fused_group_norm(Own(2, 4))) is Own
