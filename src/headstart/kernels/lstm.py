"""torch's LSTM, whose fused kernel also runs where steps are recorded.

On a CPU nn.LSTM in float32 runs oneDNN's kernel for a whole layer. Its rules for gradients that are
themselves differentiated, which `torch.func.grad` asks for, and for fake tensors, with which steps
are recorded, write the recurrence out token by token: four times slower, and 11,000 operations for
80 tokens. Here the kernel and its gradient are two operators, and what records or vectorises a step
sees these. Everywhere else the layer is torch's own. With precision bf16 the kernel computes in
float32: in bfloat16 oneDNN refuses some sizes.

Shape suffixes: T tokens, B rows, D features that come in, H units, G = 4 H gates.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

_LSTM = 2
"""The mode of `at::native::mkldnn_rnn_layer`."""


class FusedLSTM(nn.LSTM):
    """torch.nn.LSTM in one direction, batch first, with the same parameters and initial weights."""

    def __init__(self, inputs: int, hidden: int, layers: int = 1) -> None:
        super().__init__(inputs, hidden, layers, batch_first=True)

    def forward(self, x_BTD: Tensor, hx: Any = None) -> Any:  # type: ignore[override]
        """[B, T, D] to [B, T, H] from a state of zeros; the last state is returned only where
        torch's own runs.
        """
        first: Tensor = getattr(self, "weight_ih_l0")  # noqa: B009
        if hx is not None or not self.training or not _fuses(x_BTD, first):
            return super().forward(x_BTD, hx)
        x_TBD = x_BTD.to(first.dtype).transpose(0, 1).contiguous()
        for layer in range(self.num_layers):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = [getattr(self, f"{name}_l{layer}") for name in names]
            x_TBD, *_ = _Layer.apply(x_TBD, *weights)  # type: ignore[no-untyped-call]
        return x_TBD.transpose(0, 1), None


def _fuses(x: Tensor, weight: Tensor) -> bool:
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return x.device.type == "cpu" and available and weight.dtype == torch.float32 and x.numel() > 0


# Not `torch.library.custom_op`, which gives an operator a rule for autograd that `torch.func`
# cannot take.
torch.library.define(
    "headstart::lstm_layer", "(Tensor x, Tensor w, Tensor v, Tensor b, Tensor c) -> Tensor[]"
)
torch.library.define(
    "headstart::lstm_layer_backward",
    "(Tensor d, Tensor x, Tensor w, Tensor v, Tensor b, Tensor c, Tensor[] found) -> Tensor[]",
)


@torch.library.impl("headstart::lstm_layer", "cpu")
def _layer(x_TBD: Tensor, w_GD: Tensor, w_GH: Tensor, b_G: Tensor, c_G: Tensor) -> list[Tensor]:
    """h [T, B, H], the last h and cells [B, H], and what oneDNN keeps for the gradient."""
    zero_BH = x_TBD.new_zeros(x_TBD.shape[1], w_GH.shape[1])
    # Without gradients nothing is kept for them.
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        results = torch.ops.aten.mkldnn_rnn_layer(
            x_TBD, w_GD, w_GH, b_G, c_G, zero_BH, zero_BH, reverse=False, batch_sizes=[],
            mode=_LSTM, hidden_size=w_GH.shape[1], num_layers=1, has_biases=True,
            bidirectional=False, batch_first=False, train=True,
        )  # fmt: skip
        return list(results)


@torch.library.impl("headstart::lstm_layer_backward", "cpu")
def _layer_backward(
    d_TBH: Tensor,
    x_TBD: Tensor,
    w_GD: Tensor,
    w_GH: Tensor,
    b_G: Tensor,
    c_G: Tensor,
    found: list[Tensor],
) -> list[Tensor]:
    """The gradients of a layer's five arguments; `found` is what it returned."""
    h_TBH, last_BH, cells_BH, workspace = found
    zero_BH = torch.zeros_like(last_BH)
    with torch.autocast("cpu", enabled=False):
        gradients = torch.ops.aten.mkldnn_rnn_layer_backward(
            x_TBD, w_GD, w_GH, b_G, c_G, zero_BH, zero_BH, h_TBH, last_BH, cells_BH,
            d_TBH.contiguous(), None, None, reverse=False, mode=_LSTM, hidden_size=w_GH.shape[1],
            num_layers=1, has_biases=True, train=True, bidirectional=False, batch_sizes=[],
            batch_first=False, workspace=workspace,
        )  # fmt: skip
    dx_TBD, dw_GD, dw_GH, db_G, _, _, _ = gradients
    return [dx_TBD, dw_GD, dw_GH, db_G, db_G.clone()]


@torch.library.register_fake("headstart::lstm_layer")  # type: ignore[untyped-decorator]
def _(x_TBD: Tensor, w_GD: Tensor, w_GH: Tensor, b_G: Tensor, c_G: Tensor) -> list[Tensor]:
    T, B, H = *x_TBD.shape[:2], w_GH.shape[1]
    sizes = [(T, B, H), (B, H), (B, H)]
    return [*(x_TBD.new_empty(size) for size in sizes), x_TBD.new_empty(0, dtype=torch.uint8)]


@torch.library.register_fake("headstart::lstm_layer_backward")  # type: ignore[untyped-decorator]
def _(
    d_TBH: Tensor,
    x_TBD: Tensor,
    w_GD: Tensor,
    w_GH: Tensor,
    b_G: Tensor,
    c_G: Tensor,
    found: list[Tensor],
) -> list[Tensor]:
    rows = torch.contiguous_format
    return [torch.empty_like(leaf, memory_format=rows) for leaf in (x_TBD, w_GD, w_GH, b_G, c_G)]


class _Layer(torch.autograd.Function):
    """The two operators as one function with a gradient: what `torch.func` takes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*arguments: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.ops.headstart.lstm_layer(*arguments))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs, *output)
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        saved = list(ctx.saved_tensors)
        return tuple(torch.ops.headstart.lstm_layer_backward(gradients[0], *saved[:5], saved[5:]))


def _each(
    operator: Any, info: Any, in_dims: Any, *arguments: Any
) -> tuple[list[Tensor], list[int]]:
    """An operator for one client after another: the kernel has no axis for them."""

    def of(k: int, value: Any, dim: Any) -> Any:
        if isinstance(value, list):
            return [of(k, one, where) for one, where in zip(value, dim, strict=True)]
        return value if dim is None else value.select(dim, k).contiguous()

    results = []
    for k in range(info.batch_size):
        pairs = zip(arguments, in_dims, strict=True)
        results.append(operator(*[of(k, value, dim) for value, dim in pairs]))
    stacked = [torch.stack(leaves) for leaves in zip(*results, strict=True)]
    return stacked, [0] * len(stacked)


for _operator in (torch.ops.headstart.lstm_layer, torch.ops.headstart.lstm_layer_backward):
    torch.library.register_vmap(_operator.default, partial(_each, _operator))
