"""Arithmetic on trees of tensors.

A `Tree` is a dict from parameter name to tensor. Every algorithm of the library is written with
these few functions, so it reads like its equations and runs unchanged on one client's weights or,
under `torch.func.vmap`, on those of a whole cohort.

>>> import torch
>>> x = {"w": torch.tensor([3.0, 4.0])}
>>> subtract(x, scale(x, 0.5))["w"].tolist()
[1.5, 2.0]
>>> norm(x).item()
5.0
"""

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import safetensors.torch
import torch
from torch import Tensor

Tree = dict[str, Tensor]
Scalar = float | Tensor


def map_tree(
    function: Callable[..., Tensor], tree: Mapping[str, Tensor], *others: Mapping[str, Tensor]
) -> Tree:
    """Apply `function` to the tensors of the same name; the names are those of the first tree."""
    mapped = {}
    for name, leaf in tree.items():
        mapped[name] = function(leaf, *[other[name] for other in others])
    return mapped


def zeros_like(tree: Tree) -> Tree:
    """The tree of zeros with the shapes and types of `tree`."""
    return map_tree(torch.zeros_like, tree)


def add(a: Tree, b: Tree, factor: Scalar = 1.0) -> Tree:
    """a + factor * b."""
    return map_tree(lambda u, v: u + factor * v, a, b)


def subtract(a: Tree, b: Tree) -> Tree:
    """a - b."""
    return map_tree(torch.sub, a, b)


def scale(tree: Tree, factor: Scalar) -> Tree:
    """factor * tree."""
    return map_tree(lambda leaf: factor * leaf, tree)


def stack(trees: Sequence[Tree]) -> Tree:
    """The trees as one, with an axis for them before the others."""
    return map_tree(lambda *leaves: torch.stack(leaves), *trees)


def contiguous(tree: Tree) -> Tree:
    """The same numbers, each leaf laid out in rows; the layout decides the order in which sums are
    taken.
    """
    return map_tree(Tensor.contiguous, tree)


def to(tree: Tree, device: torch.device) -> Tree:
    """The same numbers on a device; leaves that are there already are not copied."""
    return map_tree(lambda leaf: leaf.to(device), tree)


def channels_last(tensor: Tensor) -> Tensor:
    """The same numbers with channels last in memory where there are four axes, as of images or
    filters.

    With one channel the numbers lie alike in both layouts, and only the strides tell torch which
    it is.
    """
    if tensor.ndim != 4:
        return tensor
    tensor = tensor.contiguous(memory_format=torch.channels_last)
    _, C, H, W = tensor.shape
    return tensor.as_strided(tensor.shape, (C * H * W, 1, C * W, C)) if C == 1 else tensor


def aligned(tensor: Tensor) -> Tensor:
    """The tensor in memory that begins at a multiple of 64 bytes, copied only where it does not.

    Matrix products of the same numbers may differ in the last bit with where they lie (MKL's guide,
    "Obtaining Numerically Reproducible Results"). Torch allocates aligned; memory of NumPy or of a
    file need not be.
    """
    return tensor if tensor.data_ptr() % 64 == 0 else tensor.clone()


def dot(a: Tree, b: Tree) -> Tensor:
    """The inner product over all leaves, a scalar; zero for empty trees."""
    products = [torch.sum(a[name] * b[name]) for name in a]
    return torch.stack(products).sum() if products else torch.zeros(())


def norm(tree: Tree) -> Tensor:
    """The Euclidean norm over all leaves, a scalar."""
    return torch.sqrt(dot(tree, tree))


def undense(tensor: Tensor) -> str:
    """What keeps a tensor's numbers from being read where they lie; empty: nothing does.

    >>> undense(torch.ones(2)), undense(torch.ones(2).to_sparse())
    ('', 'torch.sparse_coo')
    """
    if tensor.device.type == "meta":
        return "on meta, without numbers"
    if tensor.is_quantized:
        return "quantised"
    if tensor.is_nested:
        return "nested"
    return "" if tensor.layout == torch.strided else str(tensor.layout)


def size_in_bytes(tree: Tree) -> int:
    """Bytes that sending the tree costs, uncompressed."""
    return sum(leaf.numel() * leaf.element_size() for leaf in tree.values())


def digest(tree: Tree) -> str:
    """The sha256 of names, types, shapes and numbers: equal where the contents are."""
    digest = sha256(repr([(name, leaf.dtype, leaf.shape) for name, leaf in tree.items()]).encode())
    for leaf in tree.values():
        digest.update(leaf.contiguous().view(-1).view(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()


def as_safetensors(tensors: Tree, metadata: Mapping[str, str]) -> bytes:
    """The bytes of a safetensors file, the same for the same contents: the library writes metadata
    in any order.
    """
    content: bytes = safetensors.torch.save(tensors, dict(metadata))
    begins = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begins]) | {"__metadata__": dict(sorted(metadata.items()))}
    written = json.dumps(header, separators=(",", ":")).encode()
    written += b" " * (-len(written) % 8)
    return len(written).to_bytes(8, "little") + written + content[begins:]


def is_finite(tree: Tree) -> bool:
    """Whether no leaf holds a NaN or an infinity."""
    return all(bool(torch.isfinite(leaf).all()) for leaf in tree.values())
