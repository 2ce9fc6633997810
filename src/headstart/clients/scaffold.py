"""SCAFFOLD: control variates that correct each client's drift.

Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", arXiv
1910.06378, Algorithm 1 with option II for c_i. Differs from Algorithm 1: the means over the cohort,
of the updates and of the changes of c_i, carry the weights p_i where the paper's are even; so it is
sum_i p_i c_i that equals c when every client takes part, and the method goes to the optimum of
sum_i p_i f_i.
"""

import torch
from torch import Tensor

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer, Upload
from headstart.trees import Scalar, Tree


@CLIENTS.register("scaffold", source="arXiv 1910.06378, Algorithm 1, option II")
def scaffold() -> ClientOptimizer:
    """Stochastic gradient descent corrected with control variates (SCAFFOLD).

    d = g - c_i + c,   c_i+ = c_i - c + (x - y) / (K rate),   c <- c + |S|/N sum_i p_i (c_i+ - c_i),
    with K local steps, cohort S of N clients, and c = c_i = 0 at the start. The client keeps c_i
    between rounds.

    >>> import torch
    >>> x, zero = {"w": torch.tensor([1.0])}, {"w": torch.tensor([0.0])}
    >>> scaffold().finish(x, zero, 2, 0.25, {}, zero, zero).memory["w"].item()
    2.0
    """

    def direction(
        g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
    ) -> tuple[Tree, Tree]:
        return trees.map_tree(lambda g, c_i, c: g - c_i + c, g, memory, shared), local

    def finish(
        x: Tree, y: Tree, steps: Scalar, rate: Scalar, grad_at_x: Tree, shared: Tree, memory: Tree
    ) -> Upload:
        def mean_gradient(change: Tensor) -> Tensor:
            def scalar(value: Scalar) -> Tensor:
                return torch.as_tensor(value, dtype=change.dtype, device=change.device)

            return change / (scalar(steps) * scalar(rate))

        update = trees.subtract(x, y)
        message = trees.subtract(trees.map_tree(mean_gradient, update), shared)
        return Upload(update, message, trees.add(memory, message))

    def combine(
        mean_update: Tree, mean_message: Tree, shared: Tree, share_of_clients: float
    ) -> tuple[Tree, Tree]:
        return mean_update, trees.add(shared, mean_message, share_of_clients)

    return ClientOptimizer(
        direction=direction,
        finish=finish,
        combine=combine,
        shared=trees.zeros_like,
        memory=trees.zeros_like,
    )
