"""torch's group normalisation, whose fused gradient also runs where steps are recorded.

torch's rule for gradients that are themselves differentiated, which `torch.func.grad` asks for,
writes the gradient out in a dozen operations over whole images, a fifth of a step of a small
residual network. Here forward and gradient are torch's two kernels wherever a step is trained. In
evaluation the layer is torch's own, so that Hessians can be had.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import (
    get_unwrapped,
    is_batchedtensor,
    is_functorch_wrapped_tensor,
)

aten = torch.ops.aten


class FusedGroupNorm(nn.GroupNorm):
    """torch.nn.GroupNorm with the same parameters and numbers."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise [B, C, ...] over groups of channels."""
        fuses = self.training and self.affine and input.numel() > 0
        if not fuses or input.dtype != self.weight.dtype:
            return super().forward(input)
        sizes = *input.shape[:2], math.prod(input.shape[2:]), self.num_groups
        fused: Any = _GroupNorm.apply
        output: Tensor = fused(input, self.weight, self.bias, sizes, self.eps)[0]
        return output


class _GroupNorm(torch.autograd.Function):
    """The two kernels as one function with a gradient: what `torch.func` takes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor, bias: Tensor, sizes: tuple[int, ...], eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = _laid_out(x, x)
        y, mean, inverse_deviation = aten.native_group_norm(x, weight, bias, *sizes, eps)
        return y, mean, inverse_deviation

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        x, weight, _, ctx.sizes, _ = inputs
        ctx.save_for_backward(x, *output[1:], weight)
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *others = ctx.saved_tensors
        wanted = list(ctx.needs_input_grad[:3])
        found = aten.native_group_norm_backward(
            _laid_out(gradients[0], x), _laid_out(x, x), *others, *ctx.sizes, wanted
        )
        return *found, None, None


def _laid_out(tensor: Tensor, like: Tensor) -> Tensor:
    """Lay a tensor out for the kernels, which read memory in the order that the images have and do
    not look whether the gradient has it, too.
    """
    last = like.ndim == 4 and not _is_vectorised(like) and not _is_vectorised(tensor)
    last = last and like.is_contiguous(memory_format=torch.channels_last)
    return tensor.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def _is_vectorised(tensor: Tensor) -> bool:
    """Whether it is a part of a tensor of all clients: `vmap` knows one order of memory alone."""
    while is_functorch_wrapped_tensor(tensor):
        if is_batchedtensor(tensor):
            return True
        tensor = get_unwrapped(tensor)
    return False
