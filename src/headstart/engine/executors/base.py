"""The type of an executor, and what it reports of a cohort."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

from headstart.clients.base import ClientOptimizer
from headstart.engine.plan import RoundPlan
from headstart.models.network import Network
from headstart.parts.registry import Registry
from headstart.tasks.base import Task
from headstart.trees import Tree


@dataclass(frozen=True)
class Alignment:
    """Sums over the K reporting clients of D_i = x - y_i, from which probes make their numbers.

    squared_norms = sum |D_i|^2; total = |sum D_i|^2; unit_total = |sum D_i / |D_i||^2, over `count` clients.
    """

    squared_norms: Tensor
    total: Tensor
    unit_total: Tensor
    count: int


@dataclass(frozen=True)
class Cohort:
    """What a cohort made of x: the means weighted with p_i, each client's new memory, and what was seen on the way.

    `local_loss` is the mean loss of the rows trained on, each at the weights of its step. `alignment` is None in rounds
    that no probe watches: its sums are passes over all weights of all clients. `fallback` says why the loop computed
    the cohort where another executor was asked for.
    """

    mean_update: Tree
    mean_message: Tree
    memories: list[Tree]
    local_loss: Tensor
    alignment: Alignment | None
    fallback: str | None = None


class Executor(Protocol):
    """(x, shared, memories of the cohort's clients, client rate, plan) -> Cohort. At least one client reports."""

    def __call__(
        self, x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        """Compute the cohort; `watched` asks for the sums that alignment is measured from."""


class Part(NamedTuple):
    """What a run asks of an executor in a round."""

    x: Tree
    shared: Tree
    memories: Sequence[Tree]
    rate: float
    plan: RoundPlan


@dataclass(frozen=True)
class Together:
    """An executor that can compute the cohorts of up to `most` runs at once.

    several(parts, watched) -> cohorts. A run keeps its place from round to round; None stands where one does not take
    part. The plans have cohorts and batches of one size, padded alike. What comes of a run depends on its place and on
    how many places there are, not on what is in the others: not even on whether anything is.
    """

    one: Executor
    several: Callable[[Sequence[Part | None], bool], list[Cohort | None]]
    most: int

    def __call__(
        self, x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        """The cohort of a run that is computed on its own."""
        return self.one(x, shared, memories, rate, plan, watched)


EXECUTORS: Registry[Executor] = Registry("executor", "headstart.engine.executors", takes=("network", "task", "client"))
"""Factories (network, task, client optimizer) -> Executor."""

Factory = Callable[[Network, Task, ClientOptimizer], Executor]
