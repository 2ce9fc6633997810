"""MimeLite: every local step uses the server's optimizer statistics, which local steps do not move.

Karimireddy et al., "Mime: Mimicking Centralized Stochastic Algorithms in Federated Learning", arXiv
2008.03606, Algorithm 1 (the MimeLite branch), with a base algorithm split into a step U(g, s) and a
tracking of statistics V(g, s).

Differs from the paper in the denominator of the base "adam". The paper's U divides by epsilon +
sqrt(v) with the server's frozen v, which is 0 in the first round, so that the first cohort would
step with (1 - beta1) g / epsilon. By default v takes in the local gradient for this one step, v' =
V(g, v), and is then dropped: so do FedJAX (github.com/google/fedjax,
fedjax/algorithms/mime_lite.py: client_step) and TensorFlow Federated
(tensorflow_federated/python/learning/algorithms/mime.py), which take a whole step of the base
optimizer from the frozen state. `second_moment="frozen"` is the paper's form. For the base
"momentum" the two are the same. The mean of the clients' gradients at x carries the weights p_i,
where the paper's is even.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer, Upload
from headstart.trees import Scalar, Tree


@CLIENTS.register("mimelite", source="arXiv 2008.03606, Algorithm 1")
def mimelite(
    *,
    base: Annotated[
        Literal["momentum", "adam"],
        Field(description="the algorithm whose statistics the server keeps"),
    ] = "momentum",
    beta1: Annotated[
        float, Field(ge=0, lt=1, description="decay of m, the mean of gradients")
    ] = 0.9,
    beta2: Annotated[
        float, Field(ge=0, lt=1, description="decay of v, the mean of squares (base adam)")
    ] = 0.99,
    epsilon: Annotated[float, Field(gt=0, description="added to sqrt(v) (base adam)")] = 1e-3,
    second_moment: Annotated[
        Literal["stepped", "frozen"],
        Field(description="whether v takes in the step's local gradient (FedJAX), or not (paper)"),
    ] = "stepped",
) -> ClientOptimizer:
    """Local steps with the server's momentum or Adam statistics, held fixed (MimeLite).

    momentum   d = (1 - beta1) g + beta1 m
    adam       d = [(1 - beta1) g + beta1 m] / (sqrt(v') + epsilon),
               v' = (1 - beta2) g^2 + beta2 v   (or v, frozen)
    server     m <- (1 - beta1) G + beta1 m,   v <- (1 - beta2) G^2 + beta2 v,
               G = sum_i p_i grad f_i(x),
    with m = v = 0 at the start and no bias correction. Every client sends grad f_i(x), over all its
    data, as well.

    >>> import torch
    >>> client, x, g = mimelite(beta1=0.5), {"w": torch.tensor([1.0])}, {"w": torch.tensor([4.0])}
    >>> _, shared = client.combine(x, g, client.shared(x), 1.0)
    >>> client.direction(g, x, x, {}, shared, {})[0]["w"].item()
    3.0
    """
    adam = base == "adam"

    def shared(x: Tree) -> Tree:
        zeros: Tree = {}
        for statistic in "mv" if adam else "m":
            for name, leaf in x.items():
                zeros[f"{statistic}/{name}"] = torch.zeros_like(leaf)
        return zeros

    def track(g: Tree, shared: Tree) -> Tree:
        """V: one step of the moving averages."""
        stepped = {
            f"m/{name}": (1 - beta1) * leaf + beta1 * shared[f"m/{name}"]
            for name, leaf in g.items()
        }
        if adam:
            stepped |= {
                f"v/{name}": (1 - beta2) * leaf**2 + beta2 * shared[f"v/{name}"]
                for name, leaf in g.items()
            }
        return stepped

    def direction(
        g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
    ) -> tuple[Tree, Tree]:
        stepped = track(g, shared)
        if not adam:
            return {name: stepped[f"m/{name}"] for name in g}, local
        v = stepped if second_moment == "stepped" else shared
        return {
            name: stepped[f"m/{name}"] / (torch.sqrt(v[f"v/{name}"]) + epsilon) for name in g
        }, local

    def finish(
        x: Tree, y: Tree, steps: Scalar, rate: Scalar, grad_at_x: Tree, shared: Tree, memory: Tree
    ) -> Upload:
        return Upload(trees.subtract(x, y), grad_at_x, memory)

    def combine(
        mean_update: Tree, mean_message: Tree, shared: Tree, share_of_clients: float
    ) -> tuple[Tree, Tree]:
        return mean_update, track(mean_message, shared)

    return ClientOptimizer(
        direction=direction, finish=finish, combine=combine, shared=shared, wants_grad_at_x=True
    )
