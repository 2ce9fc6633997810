"""The server optimizer: x <- SERVEROPT(x, gradient := Delta), arXiv 2003.00295, Algorithm 1."""

from collections.abc import Callable
from dataclasses import dataclass

from headstart.parts.registry import Registry
from headstart.trees import Tree


@dataclass(frozen=True)
class ServerOptimizer:
    """A pair of pure functions.

    init(x) -> state. update(delta, state, x, rate) -> (x, state): `delta` is the pseudo-gradient,
    the weighted mean of the clients' x - y_i, which points uphill; `rate` is the server's learning
    rate, eta in the paper. The state is a tree of tensors; a count of rounds, where one is needed,
    is one of them. `adaptive`: its steps are as long as the rate, however large the pseudo-gradient
    is, so that a rate of 1 is far too large for most.
    """

    init: Callable[[Tree], Tree]
    update: Callable[[Tree, Tree, Tree, float], tuple[Tree, Tree]]
    adaptive: bool = False


SERVERS: Registry[ServerOptimizer] = Registry(
    "server optimizer", "headstart.servers", ServerOptimizer
)
