"""The type of an executor, what it is asked, and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from headstart.clients.base import ClientOptimizer
from headstart.engine.plan import RoundPlan
from headstart.models.network import Network
from headstart.parts.registry import Registry
from headstart.tasks.base import Task
from headstart.trees import Tree


class Assignment(NamedTuple):
    """What a run asks of an executor in a round; at least one client reports.

    Args:
        x: the weights that clients begin with.
        shared: what the server sends along.
        memories: what each client of the cohort keeps [K].
        rate: the clients' rate in this round.
        plan: the round.
        watched: whether a probe looks at this round, so that alignment is wanted.
        upcoming: makes the plan of the run's next round, for who fetches rows ahead.
    """

    x: Tree
    shared: Tree
    memories: Sequence[Tree]
    rate: float
    plan: RoundPlan
    watched: bool = True
    upcoming: Callable[[], RoundPlan] | None = None


@dataclass(frozen=True)
class Alignment:
    """Sums over the K reporting clients of D_i = x - y_i, from which probes make their numbers.

    squared_norms = sum |D_i|^2; total_squared = |sum D_i|^2; unit_total_squared = |sum D_i /
    |D_i||^2, over `count` clients.
    """

    squared_norms: Tensor
    total_squared: Tensor
    unit_total_squared: Tensor
    count: int


@dataclass(frozen=True)
class Cohort:
    """What a cohort made of x: means weighted with p_i, each client's new memory, and what was seen
    on the way.

    `local_loss` is the mean loss of the rows trained on, each at the weights of its step.
    `alignment` is None in rounds that no probe watches: its sums are passes over all weights of all
    clients. `fallback` says why the loop computed the cohort where another executor was asked for.
    """

    mean_update: Tree
    mean_message: Tree
    memories: list[Tree]
    local_loss: Tensor
    alignment: Alignment | None
    fallback: str | None = None


Compute = Callable[[Mapping[int, Assignment], int], dict[int, Cohort]]
"""(assignments of runs by their places, how many places there are) -> the cohorts of these runs by
their places.

The plans have cohorts and batches of one size, padded alike. A run keeps its place from round to
round. Its bits may depend on its place and on the number of places, never on what is in the other
places, nor on whether they are empty.
"""


@dataclass(frozen=True)
class Executor:
    """A way to compute cohorts, and what it can do.

    compute_for(network, task, client): makes what computes the cohorts of a run.
    runs: the most runs of a study that it computes at once.
    workers: the threads or processes that it begins; 0 for none.
    uses_recordings: whether it computes by recordings of the network, which not every network
        allows.
    compiled: whether it compiles what it records, so that its first round takes long.
    waits: whether clients that have done their steps wait for the one with most.
    """

    compute_for: Callable[[Network, Task, ClientOptimizer], Compute]
    runs: int = 1
    workers: int = 0
    uses_recordings: bool = False
    compiled: bool = False
    waits: bool = False


EXECUTORS: Registry[Executor] = Registry("executor", "headstart.engine.executors", Executor)
