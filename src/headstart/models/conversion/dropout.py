"""Dropout whose mask is a function of a key, so that every executor draws the same one.

The mask is an integer hash (`rng.hash32`) of the key, the layer and the position in the batch,
kept where it is below a threshold. Rows come first in the position, so padding a batch at its end
leaves the masks of its rows unchanged.
"""

import math

import torch
from torch import Tensor, nn

from headstart import rng

_MASK = 0x7FFFFFFF


def _salt(layer: int, call: int) -> int:
    """An int32 that differs between layers and calls: multiples of two odd constants, wrapped.

    (2^32 over the golden ratio, as in Knuth's multiplicative hashing, and the first constant of
    MurmurHash3's mixer.)
    """
    return ((layer * 0x9E3779B9 + call * 0x85EBCA6B + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


class KeyedDropout(nn.Module):
    """Inverted dropout with probability `p`, over elements or over whole channels.

    `key` is a buffer, an int32 scalar that the caller replaces for every step; `layer` tells layers
    apart and `calls`, which the caller sets to 0 before a forward pass, the uses of one layer
    within it.
    """

    key: Tensor

    def __init__(self, p: float, layer: int, channels: bool = False) -> None:
        super().__init__()
        self.p, self.layer, self.channels, self.calls = p, layer, channels, 0
        self.register_buffer("key", torch.zeros((), dtype=torch.int32), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs [B, ...], or [B, C, ...] where channels are dropped."""
        if not self.training or self.p == 0:
            return inputs
        if self.p == 1:
            return torch.zeros_like(inputs)
        shape = inputs.shape[:2] + (1,) * (inputs.ndim - 2) if self.channels else inputs.shape
        position = torch.arange(math.prod(shape), dtype=torch.int32, device=inputs.device)
        key = rng.hash32(self.key.reshape(1) + _salt(self.layer, self.calls))
        bits = rng.hash32(position ^ key) & _MASK
        self.calls += 1
        keep = (bits >= int(self.p * (1 << 31))).reshape(shape)
        return inputs * (keep.to(inputs.dtype) / (1 - self.p))


DROPS_CHANNELS: dict[type[nn.Module], bool] = {
    nn.Dropout: False,
    nn.Dropout1d: True,
    nn.Dropout2d: True,
    nn.Dropout3d: True,
}
"""Torch's layers of dropout that are replaced, and whether they drop whole channels."""


def with_keyed_dropout(module: nn.Module) -> nn.Module:
    """Replace dropout layers, in the order of their names, by ones whose mask is a function of a
    key.

    A layer that stands under several names becomes several layers.
    """
    number = 0
    for name, layer in list(module.named_modules(remove_duplicate=False)):
        if type(layer) not in DROPS_CHANNELS:
            continue
        probability = float(getattr(layer, "p"))  # noqa: B009
        keyed = KeyedDropout(probability, number, channels=DROPS_CHANNELS[type(layer)])
        number += 1
        if not name:
            return keyed
        parent, _, child = name.rpartition(".")
        setattr(module.get_submodule(parent), child, keyed)
    return module
