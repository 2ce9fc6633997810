"""FedAdagrad: the server's step with Adagrad.

Reddi et al., arXiv 2003.00295, Algorithm 2: epsilon (their tau) 1e-3, v_{-1} >= epsilon^2, taken as
equal here, and beta1 0 in their experiments. The sign is that of Delta = sum_i p_i (x - y_i).

Presets, as read from the libraries:

torch   torch.optim.Adagrad: epsilon 1e-10, v starts at 0 (its decay of the rate, off by default,
        is not offered).
flower  github.com/adap/flower, framework/py/flwr/serverapp/strategy/fedadagrad.py: the paper's with
        v starting at 0.
flower-legacy
        The same with epsilon 1e-9, the default of the older
        framework/py/flwr/server/strategy/fedadagrad.py.

FLSim has no Adagrad.
"""

from typing import Annotated

import torch
from pydantic import Field

from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.trees import Tree


@SERVERS.register(
    "adagrad",
    known_as="FedAdagrad",
    source="arXiv 2003.00295, Algorithm 2",
    presets={
        "reddi2021": {"beta1": 0.0, "epsilon": 1e-3, "initial_v": None},
        "torch": {"epsilon": 1e-10, "initial_v": 0.0},
        "flower": {"initial_v": 0.0},
        "flower-legacy": {"initial_v": 0.0, "epsilon": 1e-9},
    },
)
def adagrad(
    *,
    beta1: Annotated[
        float, Field(ge=0, lt=1, description="decay of m, the mean of pseudo-gradients; 0: none")
    ] = 0.0,
    epsilon: Annotated[float, Field(gt=0, description="added to sqrt(v); tau in the paper")] = 1e-3,
    initial_v: Annotated[
        float | None, Field(ge=0, description="v before round 1; nothing: epsilon^2")
    ] = None,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: lambda x is added to Delta")
    ] = 0.0,
) -> ServerOptimizer:
    """Adagrad on the pseudo-gradient (FedAdagrad).

    Delta <- Delta + lambda x
    m <- beta1 m + (1 - beta1) Delta,   v <- v + Delta^2,   x <- x - rate m / (sqrt(v) + epsilon)

    >>> import torch
    >>> server, x = adagrad(epsilon=1.0, initial_v=0.0), {"w": torch.tensor([3.0])}
    >>> x, state = server.update({"w": torch.tensor([1.0])}, server.init(x), x, 1.0)
    >>> x["w"].item(), state["v/w"].item()
    (2.5, 1.0)
    """
    v0 = epsilon**2 if initial_v is None else initial_v

    def init(x: Tree) -> Tree:
        v = {f"v/{name}": torch.full_like(leaf, v0) for name, leaf in x.items()}
        return v | (
            {f"m/{name}": torch.zeros_like(leaf) for name, leaf in x.items()} if beta1 else {}
        )

    def update(delta: Tree, state: Tree, x: Tree, rate: float) -> tuple[Tree, Tree]:
        new_x: Tree = {}
        new_state: Tree = {}
        for name, leaf in x.items():
            m = d = delta[name] + weight_decay * leaf if weight_decay else delta[name]
            if beta1:
                m = new_state[f"m/{name}"] = beta1 * state[f"m/{name}"] + (1 - beta1) * d
            v = new_state[f"v/{name}"] = state[f"v/{name}"] + d**2
            new_x[name] = leaf - rate * m / (torch.sqrt(v) + epsilon)
        return new_x, new_state

    return ServerOptimizer(init, update, adaptive=True)
