"""The gradient on a padded batch, free of choices that depend on values: what can be vectorised, recorded, compiled.

Shape suffix: B rows of a batch.
"""

from collections.abc import Callable

from torch import Tensor
from torch.func import grad

from headstart.engine.plan import PAD
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree

Layout = Callable[[Tensor], Tensor]
Gradient = Callable[[Tree, Tensor, Tensor, Tensor, Tensor], tuple[Tree, tuple[Tensor, Tensor]]]


def masked_gradient(network: Network, task: Task, layout: Layout = lambda inputs: inputs) -> Gradient:
    """(y, inputs, targets, rows_B, key) -> the gradient at y of the mean loss over the rows that are no padding, and
    (the sum of their losses, the count of what they predict).

    `inputs` and `targets` are those of the training part, from which `rows_B` are taken; `layout` is given to a batch.
    """

    def loss(
        y: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        real_B, rows_B = rows_B != PAD, rows_B.clamp(min=0)
        scores = task.objective(network(y, layout(inputs[rows_B]), key), targets[rows_B])
        real_B = real_B.to(scores.loss_B.dtype)
        total, count = (scores.loss_B * real_B).sum(), (scores.count_B * real_B).sum()
        return total / count.clamp(min=1), (total, count)

    gradient: Gradient = grad(loss, has_aux=True)
    return gradient
