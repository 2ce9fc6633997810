"""FedYogi: Adam whose v moves by additions of a bounded size.

Reddi et al., arXiv 2003.00295, Algorithm 2 (Yogi itself: Zaheer et al., NeurIPS 2018): beta1 0.9,
beta2 0.99, epsilon (their tau) 1e-3, v_{-1} >= epsilon^2, taken as equal here. The sign is that of
Delta = sum_i p_i (x - y_i).

Presets, as read from the libraries:

flower  github.com/adap/flower, framework/py/flwr/serverapp/strategy/fedyogi.py, and the older
        framework/py/flwr/server/strategy/fedyogi.py: the paper's with v starting at 0.

torch.optim and FLSim have no Yogi.
"""

from typing import Annotated

import torch
from pydantic import Field

from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.trees import Tree


@SERVERS.register(
    "yogi",
    known_as="FedYogi",
    source="arXiv 2003.00295, Algorithm 2",
    presets={
        "reddi2021": {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-3, "initial_v": None},
        "flower": {"initial_v": 0.0},
    },
)
def yogi(
    *,
    beta1: Annotated[
        float, Field(ge=0, lt=1, description="decay of m, the mean of pseudo-gradients")
    ] = 0.9,
    beta2: Annotated[
        float, Field(ge=0, lt=1, description="1 - beta2 is the size of a step of v")
    ] = 0.99,
    epsilon: Annotated[float, Field(gt=0, description="added to sqrt(v); tau in the paper")] = 1e-3,
    initial_v: Annotated[
        float | None, Field(ge=0, description="v before round 1; nothing: epsilon^2")
    ] = None,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: lambda x is added to Delta")
    ] = 0.0,
) -> ServerOptimizer:
    """Yogi on the pseudo-gradient (FedYogi).

    Delta <- Delta + lambda x
    m <- beta1 m + (1 - beta1) Delta,   v <- v - (1 - beta2) Delta^2 sign(v - Delta^2),
    x <- x - rate m / (sqrt(v) + epsilon)

    >>> import torch
    >>> server = yogi(beta1=0.0, beta2=0.75, epsilon=1.0, initial_v=0.0)
    >>> x = {"w": torch.tensor([3.0])}
    >>> x, state = server.update({"w": torch.tensor([2.0])}, server.init(x), x, 1.0)
    >>> x["w"].item(), state["v/w"].item()
    (2.0, 1.0)
    """
    v0 = epsilon**2 if initial_v is None else initial_v

    def init(x: Tree) -> Tree:
        m = {f"m/{name}": torch.zeros_like(leaf) for name, leaf in x.items()}
        return m | {f"v/{name}": torch.full_like(leaf, v0) for name, leaf in x.items()}

    def update(delta: Tree, state: Tree, x: Tree, rate: float) -> tuple[Tree, Tree]:
        new_x: Tree = {}
        new_state: Tree = {}
        for name, leaf in x.items():
            d = delta[name] + weight_decay * leaf if weight_decay else delta[name]
            m = beta1 * state[f"m/{name}"] + (1 - beta1) * d
            v = state[f"v/{name}"]
            v = v - (1 - beta2) * d**2 * torch.sign(v - d**2)
            new_x[name] = leaf - rate * m / (torch.sqrt(v) + epsilon)
            new_state |= {f"m/{name}": m, f"v/{name}": v}
        return new_x, new_state

    return ServerOptimizer(init, update, adaptive=True)
