"""What every server optimizer keeps."""

import numpy as np
import torch
from torch.func import vmap

from headstart import trees
from headstart.servers.base import ServerOptimizer
from headstart.testing.trees import (
    assert_same,
    assert_untouched,
    copied,
    drawn,
    example,
    layout,
    row,
    stacked,
)
from headstart.trees import Tree

RATE = 0.1


def tree(seed: int, dtype: torch.dtype = torch.float64) -> Tree:
    """Draw weights or a pseudo-gradient."""
    return drawn(np.random.default_rng(seed), example(dtype))


def keeps_names_shapes_and_types(server: ServerOptimizer) -> None:
    """Weights and state keep their names, shapes and types between rounds."""
    for dtype in (torch.float32, torch.float64):
        x = tree(0, dtype)
        state = server.init(x)
        first = layout(state)
        for round_number in range(1, 4):
            moved, state = server.update(tree(round_number, dtype), state, x, RATE)
            assert layout(state) == first
            assert layout(moved) == layout(x)
            x = moved


def is_pure(server: ServerOptimizer) -> None:
    """The same arguments give the same, and none of them is changed."""
    x, delta = tree(0), tree(1)
    _, state = server.update(tree(2), server.init(x), x, RATE)
    given = [x, delta, state]
    copies = [copied(one) for one in given]
    first = server.update(delta, state, x, RATE)
    second = server.update(delta, state, x, RATE)
    assert_untouched(given, copies)
    for one, other in zip(first, second, strict=True):
        assert_same(one, other, rtol=0)


def is_the_same_under_vmap(server: ServerOptimizer) -> None:
    """Runs of a study along a leading axis get what each gets alone."""
    weights, deltas = [tree(0), tree(1)], [tree(2), tree(3)]
    states = [server.update(tree(4), server.init(x), x, RATE)[1] for x in weights]
    update = vmap(server.update, in_dims=(0, 0, 0, None))
    together = update(stacked(deltas), stacked(states), stacked(weights), RATE)
    for i, x in enumerate(weights):
        alone = server.update(deltas[i], states[i], x, RATE)
        for whole, single in zip(together, alone, strict=True):
            assert_same(row(whole, i), single)


def stays_without_a_pseudo_gradient(server: ServerOptimizer) -> None:
    """A pseudo-gradient of zero moves nothing at first; this does not hold with weight decay."""
    x = tree(0)
    zero = trees.zeros_like(x)
    moved, _ = server.update(zero, server.init(x), x, RATE)
    assert_same(moved, x, rtol=0)


def goes_downhill_at_first(server: ServerOptimizer) -> None:
    """The first step goes against the pseudo-gradient everywhere; not so with weight decay."""
    x, delta = tree(0), tree(1)
    moved, _ = server.update(delta, server.init(x), x, RATE)
    for name, leaf in x.items():
        assert torch.equal(torch.sign(leaf - moved[name]), torch.sign(delta[name])), name


CONTRACT = (keeps_names_shapes_and_types, is_pure, is_the_same_under_vmap)

OPTIONAL_CONTRACT = (stays_without_a_pseudo_gradient, goes_downhill_at_first)
"""What holds without weight decay."""
