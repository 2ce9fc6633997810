"""A start: the weights before the first round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headstart.models.network import Network
from headstart.parts.registry import Component, Registry
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.trees import Tree

Build = Callable[[Task], Network]
"""A task -> the run's model built for its inputs and outputs, and checked on them."""


@dataclass(frozen=True)
class Artefact:
    """What a team has in hand before any run: made once for the runs of all seeds, and kept in the
    study's folder.

    make(build, task) -> weights, of the run's model or of the same model with other outputs, and
    what these mean. `made_of` names all that they depend on but the model; equal texts mean equal
    weights. `tasks` are those whose data went into them.
    """

    made_of: str
    make: Callable[[Build, Task], Weights]
    tasks: tuple[Component, ...] = ()


class RoundsBefore(NamedTuple):
    """Rounds of the run's own clients and optimizers that come before its first: on part of the
    weights only, which `trainable` says as a study file does.
    """

    rounds: int
    trainable: str


def nothing_to_say(network: Network, task: Task, build: Build) -> Sequence[str]:
    """For starts that any model and task can have."""
    return ()


@dataclass(frozen=True)
class Start:
    """weights(artefact, network, task, seed) -> the parameters x_0 and the module's buffers; the
    artefact is `NOTHING` where there is none.

    So what was pre-trained is the same for every seed, and what is drawn, such as a new head, is
    not.

    `content`: sha256 of the file that they are read from, empty without one. What a run begins from
    is named by the start's parameters and this: a path alone does not say what lies there.
    `costly`: what a seed's weights cost is worth keeping them, for all runs of that seed. `check`:
    raises where the weights could not be made, without making what is costly, and tells what a
    reader should know of how they are: what was left out, what became of the head. `before`: what
    the run does with the weights before its first round.
    """

    weights: Callable[[Weights, Network, Task, int], Tree]
    artefact: Artefact | None = None
    content: str = ""
    costly: bool = False
    check: Callable[[Network, Task, Build], Sequence[str]] = nothing_to_say
    before: RoundsBefore | None = None


STARTS: Registry[Start] = Registry("start", "headstart.starts", Start)
