"""FedProx's client: a term that holds the client near the server's weights.

Li et al., "Federated Optimization in Heterogeneous Networks", arXiv 1812.06127, Eq. 2 and Algorithm
2. Differs from Algorithm 2: the paper lets each client solve Eq. 2 to a precision gamma; here, as
in its experiments, the precision is what the local steps reach. The cohort is averaged with p_i,
where the paper samples with p_i and averages evenly.
"""

from typing import Annotated

from pydantic import Field

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.clients.sgd import sgd
from headstart.parts.parameters import Tunable
from headstart.trees import Tree


@CLIENTS.register("proximal", source="arXiv 1812.06127, Eq. 2", known_as="FedProx")
def proximal(
    *,
    mu: Annotated[
        float,
        Field(ge=0, description="pull of the client's weights towards the server's"),
        Tunable(1e-3, 1.0),
    ] = 0.01,
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="rho: share of the last direction that is kept")
    ] = 0.0,
) -> ClientOptimizer:
    """Gradient descent with a proximal term, the client of FedProx.

    Steps on h(y; x) = f_i(y) + mu/2 |y - x|^2 (Eq. 2):   g <- g + mu (y - x),   then as `sgd`.

    mu = 0 is `sgd`. The default is ours: the paper tunes mu over 0.001, 0.01, 0.1, 1, and so should
    a study.

    >>> import torch
    >>> x, y = {"w": torch.tensor([1.0])}, {"w": torch.tensor([3.0])}
    >>> d, _ = proximal(mu=0.5).direction({"w": torch.tensor([2.0])}, x, y, {}, {}, {})
    >>> d["w"].item()
    3.0
    """
    steps_on_h = sgd(momentum=momentum)

    def direction(
        g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
    ) -> tuple[Tree, Tree]:
        gradient_of_h = trees.add(g, trees.subtract(y, x), mu)
        return steps_on_h.direction(gradient_of_h, x, y, local, shared, memory)

    return ClientOptimizer(direction=direction, begin=steps_on_h.begin)
