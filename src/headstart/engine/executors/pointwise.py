"""Convolutions of 1x1 kernels recorded as matrix products, which they are where channels lie last in memory.

oneDNN's convolution costs 60 to 80 µs to start on the CPU, whatever its size; a matrix product costs a tenth of that.
SqueezeNet on 32x32 images has 17 such layers of up to 6x6 pixels, most of which do less than that in arithmetic.

Shape suffixes: B rows, I and O channels in and out, H and W pixels, P = B * H * W.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def convolution(
    inputs_BIHW: Tensor,
    weight_OI11: Tensor,
    bias_O: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    """In place of `aten.convolution`, or NotImplemented."""
    if not _is_product(inputs_BIHW, weight_OI11, stride, padding, transposed, groups):
        return NotImplemented
    inputs_PI, weight_IO = _rows(inputs_BIHW), weight_OI11.flatten(1).t()
    outputs_PO = inputs_PI @ weight_IO if bias_O is None else torch.addmm(bias_O, inputs_PI, weight_IO)
    return _images(outputs_PO, inputs_BIHW)


def convolution_backward(
    gradient_BOHW: Tensor,
    inputs_BIHW: Tensor,
    weight_OI11: Tensor,
    bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> Any:
    """In place of `aten.convolution_backward`, or NotImplemented."""
    if not _is_product(inputs_BIHW, weight_OI11, stride, padding, transposed, groups):
        return NotImplemented
    gradient_PO = _rows(gradient_BOHW)
    return (
        _images(gradient_PO @ weight_OI11.flatten(1), inputs_BIHW) if output_mask[0] else None,
        (gradient_PO.t() @ _rows(inputs_BIHW)).view_as(weight_OI11) if output_mask[1] else None,
        gradient_PO.sum(0) if output_mask[2] else None,
    )


AS_PRODUCTS: dict[Any, Callable[..., Any]] = {
    aten.convolution.default: convolution,
    aten.convolution_backward.default: convolution_backward,
}
"""For `make_fx`: what is recorded in place of these operations."""


def _is_product(
    inputs: Tensor, weight: Tensor, stride: Sequence[int], padding: Sequence[int], transposed: bool, groups: int
) -> bool:
    return (
        inputs.device.type == "cpu"
        and weight.shape[2:] == (1, 1)
        and inputs.is_contiguous(memory_format=torch.channels_last)
        and (groups, transposed) == (1, False)
        and set(stride) == {1}
        and set(padding) == {0}
    )


def _rows(images_BCHW: Tensor) -> Tensor:
    """A view [P, C] where channels lie last."""
    return images_BCHW.permute(0, 2, 3, 1).reshape(-1, images_BCHW.shape[1])


def _images(rows_PC: Tensor, like_BCHW: Tensor) -> Tensor:
    B, _, H, W = like_BCHW.shape
    return rows_PC.view(B, H, W, -1).permute(0, 3, 1, 2)
