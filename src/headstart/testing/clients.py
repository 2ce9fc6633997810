"""What every client optimizer keeps."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.func import vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer
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


@dataclass(frozen=True)
class Turn:
    """What one client has in hand at a step: its weights, states and gradients."""

    y: Tree
    local: Tree
    memory: Tree
    gradient: Tree
    gradient_at_x: Tree
    steps: int


@dataclass(frozen=True)
class CohortExample:
    """The weights and the shared state that three clients begin from, and a turn of each."""

    x: Tree
    shared: Tree
    turns: list[Turn]


def cohort_of(client: ClientOptimizer, dtype: torch.dtype = torch.float64) -> CohortExample:
    """Draw a cohort of three clients that do 1, 2 and 5 steps."""
    generator = np.random.default_rng(4)
    x = drawn(generator, example(dtype), positive=True)
    shared = drawn(generator, client.shared(x), positive=True)
    turns = []
    for steps in (1, 2, 5):
        memory = drawn(generator, client.memory(x), positive=True)
        local = drawn(generator, client.begin(x, shared, memory), positive=True)
        y = drawn(generator, x, positive=True)
        gradient = drawn(generator, x, positive=True)
        at_x = drawn(generator, x, positive=True)
        turns.append(
            Turn(y, local, memory, gradient, at_x if client.wants_grad_at_x else {}, steps)
        )
    return CohortExample(x, shared, turns)


def trees_of(turn: Turn) -> tuple[Tree, ...]:
    """The trees of a turn: weights, states and gradients."""
    return turn.y, turn.local, turn.memory, turn.gradient, turn.gradient_at_x


def keeps_types(client: ClientOptimizer) -> None:
    """All that it returns is of the type of the weights, whatever the type of rate and steps."""
    for dtype in (torch.float32, torch.float64):
        cohort = cohort_of(client, dtype)
        x, shared, turn = cohort.x, cohort.shared, cohort.turns[2]
        d, local = client.direction(turn.gradient, x, turn.y, turn.local, shared, turn.memory)
        for rate in (RATE, torch.tensor(RATE, dtype=torch.float64)):
            steps = torch.tensor(turn.steps)
            upload = client.finish(x, turn.y, steps, rate, turn.gradient_at_x, shared, turn.memory)
            delta, new = client.combine(upload.update, upload.message, shared, 0.5)
            for tree in (d, local, *upload, delta, new, client.shared(x), client.memory(x)):
                types = {leaf.dtype for leaf in tree.values()}
                assert types <= {dtype}, f"{types} where weights are of {dtype}"


def is_the_same_under_vmap(client: ClientOptimizer) -> None:
    """Clients along a leading axis get what each gets alone: nothing branches on numbers."""
    cohort = cohort_of(client)
    x, shared, turns = cohort.x, cohort.shared, cohort.turns
    columns = list(zip(*map(trees_of, turns), strict=True))
    y, local, memory, gradient, at_x = map(stacked, columns)
    steps = torch.tensor([turn.steps for turn in turns])
    direction = vmap(client.direction, in_dims=(0, None, 0, 0, None, 0))
    d, new_local = direction(gradient, x, y, local, shared, memory)
    finish = vmap(client.finish, in_dims=(None, 0, 0, None, 0, None, 0))
    upload = finish(x, y, steps, RATE, at_x, shared, memory)
    for i, turn in enumerate(turns):
        own_d, own_local = client.direction(
            turn.gradient, x, turn.y, turn.local, shared, turn.memory
        )
        assert_same(row(d, i), own_d)
        assert_same(row(new_local, i), own_local)
        own_upload = client.finish(
            x, turn.y, turn.steps, RATE, turn.gradient_at_x, shared, turn.memory
        )
        for together, alone in zip(upload, own_upload, strict=True):
            assert_same(row(together, i), alone)


def changes_nothing_in_place(client: ClientOptimizer) -> None:
    """No function changes what it is given."""
    cohort = cohort_of(client)
    x, shared, turn = cohort.x, cohort.shared, cohort.turns[1]
    given = [x, shared, turn.y, turn.local, turn.memory, turn.gradient, turn.gradient_at_x]
    copies = [copied(tree) for tree in given]
    client.begin(x, shared, turn.memory)
    client.direction(turn.gradient, x, turn.y, turn.local, shared, turn.memory)
    upload = client.finish(x, turn.y, turn.steps, RATE, turn.gradient_at_x, shared, turn.memory)
    client.combine(upload.update, upload.message, shared, 0.5)
    assert_untouched(given, copies)


def takes_steps_as_a_tensor(client: ClientOptimizer) -> None:
    """Steps as a whole number and as a tensor of any whole type give the same."""
    cohort = cohort_of(client)
    x, shared = cohort.x, cohort.shared
    for turn in cohort.turns:
        number = client.finish(x, turn.y, turn.steps, RATE, turn.gradient_at_x, shared, turn.memory)
        for dtype in (torch.int64, torch.int32):
            steps = torch.tensor(turn.steps, dtype=dtype)
            tensor = client.finish(x, turn.y, steps, RATE, turn.gradient_at_x, shared, turn.memory)
            for one, other in zip(number, tensor, strict=True):
                assert_same(one, other, rtol=0)


def keeps_names_and_shapes(client: ClientOptimizer) -> None:
    """What is carried from round to round keeps its names, shapes and types."""
    cohort = cohort_of(client)
    x, shared, turn = cohort.x, cohort.shared, cohort.turns[1]
    memory = turn.memory
    d, local = client.direction(turn.gradient, x, turn.y, turn.local, shared, memory)
    upload = client.finish(x, turn.y, turn.steps, RATE, turn.gradient_at_x, shared, memory)
    delta, new = client.combine(upload.update, upload.message, shared, 0.5)
    assert layout(d) == layout(upload.update) == layout(delta) == layout(x)
    assert layout(local) == layout(turn.local) == layout(client.begin(x, shared, memory))
    assert layout(new) == layout(shared) == layout(client.shared(x))
    assert layout(upload.memory) == layout(memory) == layout(client.memory(x))


def stays_without_gradients(client: ClientOptimizer) -> None:
    """A cohort whose gradients are zero stays at x; this does not hold with weight decay."""
    x = cohort_of(client).x
    zero = trees.zeros_like(x)
    shared, memory = client.shared(x), client.memory(x)
    d, _ = client.direction(zero, x, x, client.begin(x, shared, memory), shared, memory)
    at_x = zero if client.wants_grad_at_x else {}
    upload = client.finish(x, x, 3, RATE, at_x, shared, memory)
    delta, _ = client.combine(upload.update, upload.message, shared, 1.0)
    assert_same(d, zero, rtol=0)
    assert_same(delta, zero, rtol=0)


CONTRACT = (
    keeps_types,
    is_the_same_under_vmap,
    changes_nothing_in_place,
    takes_steps_as_a_tensor,
    keeps_names_and_shapes,
)

OPTIONAL_CONTRACT = (stays_without_gradients,)
"""What holds without weight decay."""
