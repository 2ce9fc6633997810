"""FedNova: normalized averaging, so that clients that do more local steps do not weigh more.

Wang et al., "Tackling the Objective Inconsistency Problem in Heterogeneous Federated Optimization",
arXiv 2007.07481. A client's change is a weighted sum of its gradients, x - y_i = rate * sum_k a_ik
g_ik. Section 4 gives a_i for plain SGD, for a proximal term and for local momentum; section 5 sets
    x <- x - tau_eff * rate * sum_i p_i d_i,
    d_i = sum_k a_ik g_ik / |a_i|_1,   tau_eff = sum_i p_i |a_i|_1.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer, Upload
from headstart.clients.proximal import proximal
from headstart.clients.sgd import sgd
from headstart.errors import HeadstartError
from headstart.trees import Scalar, Tree


@CLIENTS.register("nova", source="arXiv 2007.07481", known_as="FedNova")
def nova(
    *,
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="rho: share of the last direction that is kept")
    ] = 0.0,
    mu: Annotated[
        float, Field(ge=0, description="pull of the client's weights towards the server's")
    ] = 0.0,
) -> ClientOptimizer:
    """Stochastic gradient descent with normalized averaging (FedNova).

    update = (x - y) / |a|_1,   message |a|_1,
    pseudo-gradient = (sum_i p_i |a_i|_1) * (sum_i p_i update_i),   with
        |a|_1 = tau                                               plain,
        |a|_1 = [tau - rho (1 - rho^tau) / (1 - rho)] / (1 - rho)  with momentum,
        |a|_1 = [1 - (1 - alpha)^tau] / alpha,  alpha = rate * mu  with a proximal term,
    and tau the number of local steps. Cohorts of equal tau are FedAvg's.

    The last holds for rate * mu <= 1 only; a step beyond that overshoots x, and the result is not a
    number. Raises `HeadstartError` for momentum and mu together: the paper gives no a_i for both.

    >>> import torch
    >>> x, y = {"w": torch.tensor([5.0])}, {"w": torch.tensor([1.0])}
    >>> upload = nova().finish(x, y, 2, 0.1, {}, {}, {})
    >>> upload.update["w"].item(), upload.message["a"].item()
    (2.0, 2.0)
    """
    if momentum and mu:
        raise HeadstartError(
            f"nova: expected momentum or mu to be 0, got momentum={momentum} and mu={mu}"
        )
    inner = proximal(mu=mu) if mu else sgd(momentum=momentum)

    def sum_of_weights(tau: Tensor, rate: Scalar) -> Tensor:
        if momentum:
            return (tau - momentum * (1 - momentum**tau) / (1 - momentum)) / (1 - momentum)
        if mu:
            alpha = torch.as_tensor(rate, dtype=tau.dtype, device=tau.device) * mu
            # 1 - (1 - alpha)^tau without the cancellation at the small alpha of practice.
            return -torch.expm1(tau * torch.log1p(-alpha)) / alpha
        return tau

    def finish(
        x: Tree, y: Tree, steps: Scalar, rate: Scalar, grad_at_x: Tree, shared: Tree, memory: Tree
    ) -> Upload:
        leaf = next(iter(x.values()))
        a = sum_of_weights(torch.as_tensor(steps, dtype=leaf.dtype, device=leaf.device), rate)
        return Upload(trees.map_tree(lambda u, v: (u - v) / a.to(u.dtype), x, y), {"a": a}, memory)

    def combine(
        mean_update: Tree, mean_message: Tree, shared: Tree, share_of_clients: float
    ) -> tuple[Tree, Tree]:
        tau_eff = mean_message["a"]
        return trees.map_tree(lambda d: tau_eff.to(d.dtype) * d, mean_update), shared

    return ClientOptimizer(
        direction=inner.direction, begin=inner.begin, finish=finish, combine=combine
    )
