"""A task: examples to train on, to validate on and to test on, and what is scored.

Shape suffixes: B rows of a batch, C classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headstart import trees
from headstart.registry import Registry


class Scores(NamedTuple):
    """Sums over what one row predicts: a row of a classifier predicts once, a row of text once a token."""

    loss_B: Tensor
    correct_B: Tensor
    count_B: Tensor


Objective = Callable[[Tensor, Tensor], Scores]


def classification(logits_BC: Tensor, labels_B: Tensor) -> Scores:
    """Cross-entropy in nats, and whether the largest logit is that of the label."""
    loss_B = -logits_BC.log_softmax(-1).gather(-1, labels_B.unsqueeze(-1)).squeeze(-1)
    correct_B = (logits_BC.argmax(-1) == labels_B).to(loss_B.dtype)
    return Scores(loss_B, correct_B, torch.ones_like(loss_B))


@dataclass(frozen=True)
class Examples:
    """Rows of inputs [N, ...] and targets [N, ...]."""

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", trees.aligned(self.inputs))
        object.__setattr__(self, "targets", trees.aligned(self.targets))

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Task:
    """Data, loss and metrics.

    `train` is what partitions give to clients; `validation` is for tuning and `test` for the reported numbers, and
    neither overlaps another. `outputs` is the width of the model's output. `owners` [N] names the natural
    client of each training row, where the source has one. `content`: a sha256 of the files that it was read from, empty
    without any.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    outputs: int
    objective: Objective = classification
    owners: npt.NDArray[np.int64] | None = None
    content: str = ""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.train.inputs.shape[1:])


Rows = npt.NDArray[np.int64]
Partition = Callable[[Task, int, int], Sequence[Rows]]
"""(task, number of clients, seed) -> the training rows of each client; every row is used exactly once."""

TASKS: Registry[Task] = Registry("task", "headstart.tasks")
PARTITIONS: Registry[Partition] = Registry("partition", "headstart.tasks")
