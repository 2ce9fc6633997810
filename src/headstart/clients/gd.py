"""Gradient descent on all of a client's data.

The GD clients of Nguyen et al., "Where to Begin?", arXiv 2206.15387. One step of it with client
rate 1 and the server `sgd` is FedSGD (McMahan et al., arXiv 1602.05629, section 2).
"""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.clients.sgd import sgd


@CLIENTS.register("gd", source="arXiv 2206.15387; FedSGD of arXiv 1602.05629", known_as="FedSGD")
def gd(
    *,
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="rho: share of the last direction that is kept")
    ] = 0.0,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: pull of the weights towards zero")
    ] = 0.0,
) -> ClientOptimizer:
    """Gradient descent: every local step uses all of the client's data.

    The equations are those of `sgd`, with g the gradient of the client's whole loss.

    >>> gd().batching
    'full'
    """
    return replace(sgd(momentum=momentum, weight_decay=weight_decay), batching="full")
