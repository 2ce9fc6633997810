"""Memory that this process shares with those that it forks: what one writes, the others read."""

import mmap

import torch
from torch import Tensor

from headstart.trees import Tree

_ALIGNMENT = 64
"""Bytes; torch's own memory begins at a multiple of it, too."""


def shared_zeros(like: Tree) -> Tree:
    """Zeros of the shapes, strides and types of a tree, which may be on the meta device, in shared
    memory.

    It belongs to no file, so the machine's memory bounds it, not the size of a mounted file system.
    """
    forms = {name: torch.empty_like(leaf, device="meta") for name, leaf in like.items()}
    starts, end = [], 0
    for form in forms.values():
        starts.append(end)
        end += -(-form.nbytes // _ALIGNMENT) * _ALIGNMENT
    memory = mmap.mmap(-1, max(end, 1))
    return {
        name: _within(memory, start, form)
        for start, (name, form) in zip(starts, forms.items(), strict=True)
    }


def _within(memory: mmap.mmap, start: int, form: Tensor) -> Tensor:
    if not form.numel():
        return torch.empty_like(form, device="cpu")
    flat = torch.frombuffer(memory, dtype=form.dtype, count=form.numel(), offset=start)
    return flat.as_strided(form.shape, form.stride())
