"""FedAvg's server, with a learning rate.

McMahan et al., arXiv 1602.05629, Algorithm 1, is rate 1: x <- sum_i p_i y_i. Other rates: Reddi et
al., arXiv 2003.00295, Algorithm 1 with SERVEROPT = SGD. FLSim's `FedAvgWithLR` and Flower's
`FedAvg` are the same.
"""

from headstart import trees
from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.trees import Tree


@SERVERS.register(
    "sgd", source="arXiv 1602.05629, Algorithm 1; arXiv 2003.00295, Algorithm 1", known_as="FedAvg"
)
def sgd() -> ServerOptimizer:
    """Averaging (FedAvg): x <- x - rate Delta.

    >>> import torch
    >>> x, state = sgd().update({"w": torch.tensor([1.0])}, {}, {"w": torch.tensor([3.0])}, 0.5)
    >>> x["w"].item()
    2.5
    """

    def init(x: Tree) -> Tree:
        return {}

    def update(delta: Tree, state: Tree, x: Tree, rate: float) -> tuple[Tree, Tree]:
        return trees.add(x, delta, -rate), state

    return ServerOptimizer(init, update)
