"""A start: the weights before the first round."""

from collections.abc import Callable
from dataclasses import dataclass

from headstart.models.network import Network
from headstart.registry import Registry
from headstart.tasks.base import Task
from headstart.trees import Tree


@dataclass(frozen=True)
class Start:
    """weights(network, task, seed) -> the parameters x_0.

    `seeded`: whether they depend on the run's seed. A pre-trained start is one artefact that a team has in hand, so
    the runs of every seed begin from the same one; it is made once and kept.

    `content`: sha256 of the file that they are read from, empty without one. What a run begins from is named by the
    start's parameters and this: a path alone does not say what lies there.
    """

    weights: Callable[[Network, Task, int], Tree]
    seeded: bool
    content: str = ""


STARTS: Registry[Start] = Registry("start", "headstart.starts")
