"""The client optimizer: a gradient transformation, its upload, and what the server makes of it.

It is written for one client, as pure functions of trees, and never sees the axis of clients: an
executor runs it for one client after another, or for a whole cohort at once under
`torch.func.vmap`. So a function may use arithmetic of trees and of tensors, and no `if` on the
value of a tensor. The symbols are those of the papers: x the weights that the server sent, y the
client's own, g a gradient at y.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from headstart import trees
from headstart.parts.registry import Registry
from headstart.trees import Scalar, Tree


class Upload(NamedTuple):
    """What a client returns: it sends an update, which the server subtracts, and a message; its new
    memory is not sent: the client keeps it.
    """

    update: Tree
    message: Tree
    memory: Tree


def nothing(x: Tree) -> Tree:
    """For methods that keep or send nothing."""
    return {}


def begin_with_nothing(x: Tree, shared: Tree, memory: Tree) -> Tree:
    """For methods without local state."""
    return {}


def difference(
    x: Tree, y: Tree, steps: Scalar, rate: Scalar, grad_at_x: Tree, shared: Tree, memory: Tree
) -> Upload:
    """Return Delta_i = x - y_i, the upload of FedAvg and FedOpt (arXiv 2003.00295, Algorithm 1).

    Args:
        x: the weights that the server sent.
        y: the client's own after its steps.
        steps: how many it did.
        rate: the client's rate.
        grad_at_x: the gradient of its whole loss at x, or nothing.
        shared: what the server sent along.
        memory: what the client keeps.
    """
    return Upload(trees.subtract(x, y), {}, memory)


def take_mean(
    mean_update: Tree, mean_message: Tree, shared: Tree, share_of_clients: float
) -> tuple[Tree, Tree]:
    """The pseudo-gradient is the mean update."""
    return mean_update, shared


class Direction(Protocol):
    """The direction of a step. All are trees, so a type checker holds their names and order."""

    def __call__(
        self, g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
    ) -> tuple[Tree, Tree]:
        """Return d, of y <- y - rate * d, and the new local state; g is the gradient at y."""


class Finish(Protocol):
    """What a client makes of its round, with the names and the order that a type checker holds."""

    def __call__(
        self,
        x: Tree,
        y: Tree,
        steps: Scalar,
        rate: Scalar,
        grad_at_x: Tree,
        shared: Tree,
        memory: Tree,
    ) -> Upload:
        """Return what it sends and keeps."""


@dataclass(frozen=True)
class ClientOptimizer:
    """One client's part of a round, and how the server combines the parts.

    direction(g, x, y, local, shared, memory) -> (d, local): the executor does y <- y - rate * d;
        g is the gradient at y.
    begin(x, shared, memory) -> local: the state of one round, for example a momentum buffer.
    shared(x): what the server keeps and sends along with x.
    memory(x): what one client keeps between rounds.
    finish(x, y, steps, rate, grad_at_x, shared, memory) -> Upload; `steps` is the number of local
        steps, at least 1 (clients that did none are not part of the means), `grad_at_x` is empty
        unless `wants_grad_at_x`.
    combine(mean_update, mean_message, shared, share_of_clients) -> (pseudo_gradient, shared): the
        means are weighted with p_i over the cohort; `share_of_clients` is |cohort| / |all clients|.
    batching: "full" gives every step all of the client's data.
    wants_grad_at_x: the executor computes the gradient of the client's whole loss at x.

    A toy method that clips every coordinate of the gradient to [-1, 1]:

    >>> import torch
    >>> def direction(g, x, y, local, shared, memory):
    ...     return trees.map_tree(lambda leaf: leaf.clamp(-1, 1), g), local
    >>> clipped = ClientOptimizer(direction=direction)
    >>> d, _ = clipped.direction({"w": torch.tensor([3.0, 0.5])}, {}, {}, {}, {}, {})
    >>> d["w"].tolist()
    [1.0, 0.5]
    """

    direction: Direction
    begin: Callable[[Tree, Tree, Tree], Tree] = begin_with_nothing
    finish: Finish = difference
    combine: Callable[[Tree, Tree, Tree, float], tuple[Tree, Tree]] = take_mean
    shared: Callable[[Tree], Tree] = nothing
    memory: Callable[[Tree], Tree] = nothing
    batching: Literal["minibatch", "full"] = "minibatch"
    wants_grad_at_x: bool = False


CLIENTS: Registry[ClientOptimizer] = Registry(
    "client optimizer", "headstart.clients", ClientOptimizer
)
