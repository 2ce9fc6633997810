"""Trees of known numbers, and what is asserted of two of them."""

from collections.abc import Sequence

import numpy as np
import torch

from headstart.trees import Tree


def example(dtype: torch.dtype = torch.float64) -> Tree:
    """Parameters of a small network: a matrix and a scalar."""
    return {
        "layer.weight": torch.ones(2, 3, dtype=dtype),
        "gain": torch.tensor(2.0, dtype=dtype),
    }


def drawn(generator: np.random.Generator, like: Tree, positive: bool = False) -> Tree:
    """Normal numbers of the shapes and types of a tree.

    Their squares where they are to be `positive`, as a state may hold second moments.
    """
    tree = {}
    for name, leaf in like.items():
        numbers = generator.normal(size=leaf.shape)
        if positive:
            numbers = numbers**2 + 0.1
        tree[name] = torch.as_tensor(numbers).to(leaf.dtype)
    return tree


def copied(tree: Tree) -> Tree:
    """A tree of copies."""
    return {name: leaf.clone() for name, leaf in tree.items()}


def stacked(trees: Sequence[Tree]) -> Tree:
    """Several trees along a leading axis."""
    tree = {}
    for name in trees[0]:
        tree[name] = torch.stack([one[name] for one in trees])
    return tree


def row(tree: Tree, index: int) -> Tree:
    """One of several trees that are stacked."""
    return {name: leaf[index] for name, leaf in tree.items()}


def layout(tree: Tree) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """The shape and type of each tensor, by name."""
    return {name: (leaf.shape, leaf.dtype) for name, leaf in tree.items()}


def assert_same(tree: Tree, other: Tree, rtol: float = 1e-12) -> None:
    """Two trees have the same names in the same order, and the same numbers to a tolerance."""
    assert list(tree) == list(other), f"{list(tree)} is not {list(other)}"
    for name in tree:
        torch.testing.assert_close(tree[name], other[name], rtol=rtol, atol=0)


def assert_untouched(trees: Sequence[Tree], copies: Sequence[Tree]) -> None:
    """No tree has changed since it was copied."""
    for tree, copy in zip(trees, copies, strict=True):
        assert_same(tree, copy, rtol=0)
