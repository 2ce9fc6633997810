"""Convolutions recorded as matrix products, where that is faster: on the CPU, with channels last in
memory.

oneDNN's convolution costs 60 to 80 µs to start, whatever its size, and lays the weights out anew in
every call, once forward and twice backward. So a matrix product wins where there is little
arithmetic, as in the 1x1 convolutions of SqueezeNet on 32x32 images, and where there are about as
many weights as pixels, as in its last 3x3 convolutions or those of a ResNet. What a 1x1 convolution
multiplies is there already; for larger kernels the window of every pixel is laid out in a row
(Chellapilla, Puri, Simard, "High performance convolutional neural networks for document
processing", 2006), without the taps that would only ever meet padding.

Shape suffixes: B rows, I and O channels in and out, H and W pixels in, G and V pixels out, P = B *
G * V; M and N taps of a kernel, down and across.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

aten = torch.ops.aten

PIXELS_A_FILTER = 4
"""The most output pixels of a batch for each output channel at which larger kernels than 1x1 become
products.

Measured forward and backward on an Intel Xeon, microseconds as a convolution and as products: 2.25
pixels a filter 655 and 447, 1.5 1,444 and 980, 1 99,196 and 54,569 (512 channels of 4x4 pixels); 8
47,886 and 57,458, 18 about equal.
"""


class Window(NamedTuple):
    """The taps of a kernel that meet a pixel, and the padding (before and after) that is left
    without the others.
    """

    taps: slice
    padding: tuple[int, int]


def convolution(
    inputs_BIHW: Tensor,
    weight_OIMN: Tensor,
    bias_O: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    """Stand in for `aten.convolution`, or return NotImplemented.

    Args:
        inputs_BIHW: images.
        weight_OIMN: filters.
        bias_O: a number for each output channel, or None.
        stride, padding, dilation, transposed, output_padding, groups: as torch has them; what is
            not 1, or a padding, is left to it.
    """
    if not _is_product(inputs_BIHW, weight_OIMN, stride, padding, dilation, transposed, groups):
        return NotImplemented
    down, across = _windows(inputs_BIHW, weight_OIMN, padding)
    columns_BGVMNI = _unfolded(inputs_BIHW, down, across)
    columns_PL, weight_OL = _rows(columns_BGVMNI), _filters(weight_OIMN, down, across)
    weight_LO = weight_OL.t()
    outputs_PO = (
        columns_PL @ weight_LO if bias_O is None else torch.addmm(bias_O, columns_PL, weight_LO)
    )
    return _images(outputs_PO.view(*columns_BGVMNI.shape[:3], -1))


def convolution_backward(
    gradient_BOGV: Tensor,
    inputs_BIHW: Tensor,
    weight_OIMN: Tensor,
    bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> Any:
    """Stand in for `aten.convolution_backward`, or return NotImplemented.

    Args:
        gradient_BOGV: the gradient of the outputs.
        inputs_BIHW: images.
        weight_OIMN: filters.
        bias_sizes, stride, padding, dilation, transposed, output_padding, groups: as in torch.
        output_mask: whether the gradients of inputs, weight and bias are wanted.
    """
    if not _is_product(inputs_BIHW, weight_OIMN, stride, padding, dilation, transposed, groups):
        return NotImplemented
    down, across = _windows(inputs_BIHW, weight_OIMN, padding)
    gradient_BGVO = gradient_BOGV.permute(0, 2, 3, 1)
    gradient_PO = gradient_BGVO.reshape(-1, gradient_BGVO.shape[3])
    of_inputs = of_weight = None
    if output_mask[0]:
        of_columns_PL = gradient_PO @ _filters(weight_OIMN, down, across)
        M, N = _count(down), _count(across)
        of_inputs = _folded(of_columns_PL.view(*gradient_BGVO.shape[:3], M, N, -1), down, across)
    if output_mask[1]:
        columns_PL = _rows(_unfolded(inputs_BIHW, down, across))
        of_weight = _of_filters(gradient_PO.t() @ columns_PL, weight_OIMN, down, across)
    return of_inputs, of_weight, gradient_PO.sum(0) if output_mask[2] else None


AS_PRODUCTS: dict[Any, Callable[..., Any]] = {
    aten.convolution.default: convolution,
    aten.convolution_backward.default: convolution_backward,
}
"""For `make_fx`: what is recorded in place of these operations."""


def _is_product(
    inputs: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    groups: int,
) -> bool:
    if not (
        inputs.device.type == "cpu"
        and inputs.ndim == 4
        and inputs.is_contiguous(memory_format=torch.channels_last)
        and (groups, transposed) == (1, False)
        and set(stride) == set(dilation) == {1}
    ):
        return False
    if weight.shape[2:] == (1, 1):
        return set(padding) == {0}
    G, V = (
        size + 2 * by - taps + 1
        for size, by, taps in zip(inputs.shape[2:], padding, weight.shape[2:], strict=True)
    )
    pixels = inputs.shape[0] * G * V
    return pixels <= PIXELS_A_FILTER * weight.shape[0]


def _windows(inputs: Tensor, weight: Tensor, padding: Sequence[int]) -> tuple[Window, Window]:
    """The windows down and across."""

    def window(pixels: int, taps: int, by: int) -> Window:
        first, end = max(0, by - (pixels + 2 * by - taps)), min(taps, by + pixels)
        return Window(slice(first, end), (by - first, by - (taps - end)))

    (_, _, H, W), (_, _, M, N) = inputs.shape, weight.shape
    return window(H, M, padding[0]), window(W, N, padding[1])


def _count(window: Window) -> int:
    return int(window.taps.stop - window.taps.start)


def _unfolded(inputs_BIHW: Tensor, down: Window, across: Window) -> Tensor:
    """The window of every output pixel, [B, G, V, M, N, I]; a view where nothing is padded."""
    inputs_BHWI = _padded(inputs_BIHW.permute(0, 2, 3, 1), (0, 0, *across.padding, *down.padding))
    return (
        inputs_BHWI.unfold(1, _count(down), 1)
        .unfold(2, _count(across), 1)
        .permute(0, 1, 2, 4, 5, 3)
    )


def _folded(columns_BGVMNI: Tensor, down: Window, across: Window) -> Tensor:
    """The sums over all windows that a pixel stands in, [B, I, H, W]; first across, then down."""
    columns_BGWMI = _overlapped(columns_BGVMNI.unbind(4), across)
    return _images(_overlapped(columns_BGWMI.unbind(3), down))


def _overlapped(taps: Sequence[Tensor], window: Window) -> Tensor:
    """Sum what each tap has for the pixel that it met, along the third axis from the end.

    Tap t of output pixel g met pixel g + t - padding.
    """
    before, after = window.padding
    end = len(taps) - 1
    return reduce(
        torch.add,
        [_padded(tap, (0, 0, 0, 0, t - before, end - t - after)) for t, tap in enumerate(taps)],
    )


def _filters(weight_OIMN: Tensor, down: Window, across: Window) -> Tensor:
    """The taps that are left in rows [O, L], L = M * N * I; a view where channels lie last."""
    return weight_OIMN[:, :, down.taps, across.taps].permute(0, 2, 3, 1).flatten(1)


def _of_filters(rows_OL: Tensor, weight_OIMN: Tensor, down: Window, across: Window) -> Tensor:
    """The inverse of `_filters`, with zeros for the other taps."""
    M, N = weight_OIMN.shape[2:]
    rows_OMNI = rows_OL.view(-1, _count(down), _count(across), weight_OIMN.shape[1])
    around = [
        (window.taps.start, taps - window.taps.stop) for window, taps in ((across, N), (down, M))
    ]
    return _images(_padded(rows_OMNI, (0, 0, *around[0], *around[1])))


def _rows(columns_BGVMNI: Tensor) -> Tensor:
    return columns_BGVMNI.flatten(3).flatten(0, 2)


def _images(pixels_BHWI: Tensor) -> Tensor:
    return pixels_BHWI.permute(0, 3, 1, 2)


def _padded(tensor: Tensor, by: tuple[int, ...]) -> Tensor:
    return pad(tensor, by) if any(by) else tensor
