"""FedAvg's client: stochastic gradient descent.

McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", arXiv
1602.05629, Algorithm 1, ClientUpdate. Differs from Algorithm 1: it offers local momentum and weight
decay, off by default.
"""

from typing import Annotated

from pydantic import Field

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer, begin_with_nothing
from headstart.trees import Tree


@CLIENTS.register("sgd", source="arXiv 1602.05629, Algorithm 1", known_as="FedAvg")
def sgd(
    *,
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="rho: share of the last direction that is kept")
    ] = 0.0,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: pull of the weights towards zero")
    ] = 0.0,
) -> ClientOptimizer:
    """Stochastic gradient descent, the client of FedAvg.

    g <- g + lambda y,   b <- rho b + g,   d = b,   with b = 0 at the start of every round.

    This is `torch.optim.SGD` without dampening, started afresh every round.

    >>> import torch
    >>> client, x = sgd(momentum=0.5), {"w": torch.tensor([1.0])}
    >>> local = client.begin(x, {}, {})
    >>> d, local = client.direction({"w": torch.tensor([2.0])}, x, x, local, {}, {})
    >>> d, local = client.direction({"w": torch.tensor([2.0])}, x, x, local, {}, {})
    >>> d["w"].item()
    3.0
    """

    def begin(x: Tree, shared: Tree, memory: Tree) -> Tree:
        return trees.zeros_like(x)

    def direction(
        g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
    ) -> tuple[Tree, Tree]:
        if weight_decay:
            g = trees.add(g, y, weight_decay)
        if not momentum:
            return g, local
        b = trees.add(g, local, momentum)
        return b, b

    return ClientOptimizer(direction=direction, begin=begin if momentum else begin_with_nothing)
