"""What the model makes of each row of a split, batch by batch, dropout off."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headstart import trees
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task
from headstart.trees import Tree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def correct_of_rows(
    network: Network, x: Tree, task: Task, examples: Examples, batch: int
) -> tuple[Floats, Floats]:
    """Return how many predictions of each row are right, and how many it has [N], [N].

    Args:
        network: the model as a function of its parameters.
        x: weights.
        task: the task, for what counts as right.
        examples: the rows.
        batch: predictions that are computed at once.
    """

    def scores(outputs: Tensor, targets: Tensor) -> Tensor:
        found = task.objective(outputs, targets)
        return torch.stack([found.correct_B.double(), found.count_B.double()])

    found = torch.cat(list(_batches(network, x, examples, batch, scores)), -1).cpu().numpy()
    return found[0], found[1]


def labels_of_rows(network: Network, x: Tree, examples: Examples, batch: int) -> Ints:
    """The class with the largest output of each row [N]."""

    def largest(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.argmax(-1)

    return torch.cat(list(_batches(network, x, examples, batch, largest))).cpu().numpy()


def refuse_no_classes(task: Task, probe: str) -> None:
    """Refuse targets that are not one class a row.

    Raises:
        HeadstartError: they are tokens of text, or numbers.
    """
    targets = task.test.targets
    if targets.ndim != 1 or targets.is_floating_point():
        raise HeadstartError(
            f"probes: {probe} needs one class as the target of each row, but those of task "
            f"{task.name!r} are {'numbers' if targets.is_floating_point() else 'several a row'}"
        )


def _batches(
    network: Network,
    x: Tree,
    examples: Examples,
    batch: int,
    then: Callable[[Tensor, Tensor], Tensor],
) -> Iterator[Tensor]:
    x = trees.map_tree(trees.channels_last, x)
    with torch.no_grad():
        for inputs, targets in examples.batches(batch):
            yield then(network(x, inputs.to(network.device)), targets.to(network.device))
