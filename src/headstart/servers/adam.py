"""FedAdam: the server's step with Adam.

Reddi et al., "Adaptive Federated Optimization", arXiv 2003.00295, Algorithm 2: no bias correction,
epsilon (their tau) 1e-3, beta1 0.9, beta2 0.99, and v_{-1} >= epsilon^2, taken as equal here. Delta
= sum_i p_i (x - y_i) here; theirs has the opposite sign, so their x + rate m / (...) is x - rate m
/ (...) here.

Presets, as read from the libraries:

torch   torch.optim.Adam: bias correction of m and v, epsilon 1e-8 beside the corrected sqrt(v),
        beta2 0.999, v = 0.
flsim   github.com/facebookresearch/FLSim, flsim/optimizers/server_optimizers.py: torch.optim.Adam
        with a weight decay of 1e-5 by default; the FedAdam of "Where to Begin?" (arXiv 2206.15387).
flower  github.com/adap/flower, framework/py/flwr/serverapp/strategy/fedadam.py: v starts at 0, and
        the rate is multiplied with sqrt(1 - beta2^(t+1)) / (1 - beta1^(t+1)) while t, its
        `server_round`, already starts at 1: the correction of the round after. Epsilon stands
        beside the uncorrected sqrt(v).
flower-legacy
        The same with epsilon 1e-9, the default of the older
        framework/py/flwr/server/strategy/fedadam.py. Versions before that had no correction
        (src/py/flwr/server/strategy/fedadam.py at commit 18638bc):
        `adam@flower-legacy(bias_correction="none")`.
"""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.trees import Tree

_TORCH = {"beta2": 0.999, "epsilon": 1e-8, "bias_correction": "adam", "initial_v": 0.0}


@SERVERS.register(
    "adam",
    known_as="FedAdam",
    source="arXiv 2003.00295, Algorithm 2",
    presets={
        "reddi2021": {
            "beta1": 0.9,
            "beta2": 0.99,
            "epsilon": 1e-3,
            "bias_correction": "none",
            "initial_v": None,
        },
        "torch": _TORCH,
        "flsim": {**_TORCH, "weight_decay": 1e-5},
        "flower": {"bias_correction": "flower", "initial_v": 0.0},
        "flower-legacy": {"bias_correction": "flower", "initial_v": 0.0, "epsilon": 1e-9},
    },
)
def adam(
    *,
    beta1: Annotated[
        float, Field(ge=0, lt=1, description="decay of m, the mean of pseudo-gradients")
    ] = 0.9,
    beta2: Annotated[
        float, Field(ge=0, lt=1, description="decay of v, the mean of their squares")
    ] = 0.99,
    epsilon: Annotated[float, Field(gt=0, description="added to sqrt(v); tau in the paper")] = 1e-3,
    bias_correction: Annotated[
        Literal["none", "adam", "flower"],
        Field(description="for starting at 0: none, Adam's, or Flower's"),
    ] = "none",
    initial_v: Annotated[
        float | None, Field(ge=0, description="v before round 1; nothing: epsilon^2")
    ] = None,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: lambda x is added to Delta, not AdamW's")
    ] = 0.0,
) -> ServerOptimizer:
    """Adam on the pseudo-gradient (FedAdam).

    Delta <- Delta + lambda x
    m <- beta1 m + (1 - beta1) Delta,   v <- beta2 v + (1 - beta2) Delta^2,
    none     x <- x - rate m / (sqrt(v) + epsilon)
    adam     m / (1 - beta1^t) and v / (1 - beta2^t) in the place of m and v, in round t = 1, 2, ...
    flower   rate sqrt(1 - beta2^(t+1)) / (1 - beta1^(t+1)) in the place of rate

    >>> import torch
    >>> server = adam(beta1=0.5, beta2=0.5, epsilon=1.0, initial_v=0.0)
    >>> x, delta = {"w": torch.tensor([3.0])}, {"w": torch.tensor([4.0])}
    >>> x, _ = server.update(delta, {**server.init(x), "v/w": torch.tensor([2.0])}, x, 1.0)
    >>> x["w"].item()
    2.5
    """
    v0 = epsilon**2 if initial_v is None else initial_v

    def init(x: Tree) -> Tree:
        m = {f"m/{name}": torch.zeros_like(leaf) for name, leaf in x.items()}
        v = {f"v/{name}": torch.full_like(leaf, v0) for name, leaf in x.items()}
        t = torch.zeros((), dtype=torch.int64, device=next(iter(x.values())).device)
        return {"t": t, **m, **v}

    def update(delta: Tree, state: Tree, x: Tree, rate: float) -> tuple[Tree, Tree]:
        t = state["t"] + 1
        new_x, new_state = {}, {"t": t}
        for name, leaf in x.items():
            d = delta[name] + weight_decay * leaf if weight_decay else delta[name]
            m = beta1 * state[f"m/{name}"] + (1 - beta1) * d
            v = beta2 * state[f"v/{name}"] + (1 - beta2) * d**2
            new_state |= {f"m/{name}": m, f"v/{name}": v}
            root = torch.sqrt(v)
            if bias_correction == "adam":
                m, root = m / _mass(beta1, t, d.dtype), root / torch.sqrt(_mass(beta2, t, d.dtype))
            elif bias_correction == "flower":
                m = m * (torch.sqrt(_mass(beta2, t + 1, d.dtype)) / _mass(beta1, t + 1, d.dtype))
            new_x[name] = leaf - rate * m / (root + epsilon)
        return new_x, new_state

    return ServerOptimizer(init, update, adaptive=True)


def _mass(beta: float, t: Tensor, dtype: torch.dtype) -> Tensor:
    """1 - beta^t, the weights that a mean of t terms has gathered; without the cancellation of
    float32.
    """
    t = t.to(dtype)
    return -torch.expm1(t * math.log(beta)) if beta else torch.ones_like(t)
