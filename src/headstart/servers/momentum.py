"""FedAvgM: the server's step with momentum.

Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
Classification", arXiv 1909.06335, section 4: v <- beta v + Delta, x <- x - v. The rate of the
server is 1 there; Reddi et al., arXiv 2003.00295, give it one. Nesterov's form and dampening are
those of torch.optim.SGD.

What libraries do, as read: Flower (github.com/adap/flower,
framework/py/flwr/serverapp/strategy/fedavgm.py) and FLSim (github.com/facebookresearch/FLSim,
flsim/optimizers/server_optimizers.py, FedAvgWithLR: torch.optim.SGD) use the equation above,
starting from v = Delta. Both, like torch, have momentum 0 as default, that is none; the presets
keep this module's 0.9, since momentum 0 is the server `sgd`.
"""

from typing import Annotated

import torch
from pydantic import Field

from headstart.errors import HeadstartError
from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.trees import Tree

_PLAIN = {"nesterov": False, "dampening": 0.0, "weight_decay": 0.0}


@SERVERS.register(
    "momentum",
    known_as="FedAvgM",
    source="arXiv 1909.06335, section 4",
    presets={"hsu2019": _PLAIN, "torch": _PLAIN, "flower": _PLAIN, "flsim": _PLAIN},
)
def momentum(
    *,
    momentum: Annotated[
        float, Field(gt=0, lt=1, description="beta: share of the last velocity that is kept")
    ] = 0.9,
    nesterov: Annotated[bool, Field(description="look ahead: step with Delta + beta v")] = False,
    dampening: Annotated[
        float, Field(ge=0, le=1, description="share of Delta left out of v, from round 2 on")
    ] = 0.0,
    weight_decay: Annotated[
        float, Field(ge=0, description="lambda: lambda x is added to Delta")
    ] = 0.0,
) -> ServerOptimizer:
    """Averaging with momentum (FedAvgM).

    Delta <- Delta + lambda x,   v <- beta v + (1 - dampening) Delta,
    x <- x - rate v   (nesterov: Delta + beta v).

    The first round is not dampened, as in torch.optim.SGD. Raises `HeadstartError` for nesterov
    with dampening.

    >>> import torch
    >>> server = momentum(momentum=0.5)
    >>> x, delta = {"w": torch.tensor([3.0])}, {"w": torch.tensor([1.0])}
    >>> x, state = server.update(delta, server.init(x), x, 1.0)
    >>> x, state = server.update(delta, state, x, 1.0)
    >>> x["w"].item()
    0.5
    """
    if nesterov and dampening:
        raise HeadstartError(f"momentum: expected dampening=0 with nesterov, got {dampening}")

    def init(x: Tree) -> Tree:
        t = torch.zeros((), dtype=torch.int64, device=next(iter(x.values())).device)
        return {"t": t, **{f"v/{name}": torch.zeros_like(leaf) for name, leaf in x.items()}}

    def update(delta: Tree, state: Tree, x: Tree, rate: float) -> tuple[Tree, Tree]:
        new_x, new_state = {}, {"t": state["t"] + 1}
        for name, leaf in x.items():
            d = delta[name] + weight_decay * leaf if weight_decay else delta[name]
            kept = 1 - dampening * (state["t"] > 0).to(d.dtype)
            v = momentum * state[f"v/{name}"] + kept * d
            new_x[name] = leaf - rate * (d + momentum * v if nesterov else v)
            new_state[f"v/{name}"] = v
        return new_x, new_state

    return ServerOptimizer(init, update)
