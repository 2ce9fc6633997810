"""The cohorts of several runs as one tensor program, with an axis of clients and one of runs.

For models whose time goes into starting operations rather than into arithmetic this is several
times faster than the loop. As many runs are computed at once as fit the memory allowed with their
whole cohorts; where a step of the cohort of one run would not fit, it is cut into `chunks`. The
axis of one run is left out of what is recorded: it would cost a view for every product.

Shape suffixes: R runs, K clients of the cohort or chunk, S local steps, B rows of a batch. What
ends in K has an axis of runs before the others, where there are several.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.func import vmap

from headstart import rng, trees
from headstart.clients.base import ClientOptimizer, begin_with_nothing
from headstart.engine.devices import Floats, Ints
from headstart.engine.executors.base import EXECUTORS, Assignment, Cohort, Compute, Executor
from headstart.engine.executors.chunks import chunks, idle, of_runs
from headstart.engine.executors.program import CLIENT, RUN, over_runs_and_clients, program
from headstart.engine.executors.sums import Sums, to_unit_length
from headstart.engine.plan import RoundPlan
from headstart.kernels.recorded import Traced
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree

Aside = dict[int, tuple[Tree, Tensor]]
"""y and `tally` of runs that have done their steps, by their places."""


@EXECUTORS.register("stacked", source="arXiv 2108.02117 (FedJAX) vectorises clients the same way")
def stacked(
    *,
    compiled: Annotated[
        bool, Field(description="compile the step with Inductor: minutes, for long runs")
    ] = False,
    memory_mib: Annotated[
        int,
        AddedLater(),
        Field(ge=1, description="what a step of the clients that are computed at once may take"),
    ] = 4096,
    runs: Annotated[
        int,
        AddedLater(),
        Field(ge=1, description="the most runs of a study that are computed at once"),
    ] = 1,
) -> Executor:
    """All clients at once, and several runs of a study: fastest where models are small."""

    def compute_for(network: Network, task: Task, client: ClientOptimizer) -> Compute:
        return Stack(network, task, client, compiled, runs, memory_mib * 2**20)

    return Executor(compute_for, runs=runs, uses_recordings=True, compiled=compiled, waits=True)


class Beginnings(NamedTuple):
    """What clients begin with: x and shared of each run, and each client's memory [K, ...].

    An axis of runs comes before the others, where there are several: to record that of one run
    would cost a view for every product.
    """

    x: Tree
    shared: Tree
    memory: Tree

    @classmethod
    def of_runs(cls, assignments: Sequence[Assignment]) -> "Beginnings":
        """Those that runs ask for."""
        each = []
        for asked in assignments:
            each.append(cls(asked.x, asked.shared, trees.stack(asked.memories)))
        return each[0] if len(each) == 1 else cls(*map(trees.stack, zip(*each, strict=True)))

    def of(self, clients_K: Ints) -> "Beginnings":
        """Those of some clients of one run."""
        places = torch.as_tensor(clients_K, device=next(iter(self.x.values())).device)
        return self._replace(memory=trees.map_tree(lambda leaf: leaf[places], self.memory))


class Stack:
    """Computes as many runs, or as many clients of one run, as fit a budget.

    Args:
        network: the model as a function of its parameters.
        task: the task, on the network's device.
        client: the client optimizer.
        compiled: compile what is recorded.
        runs: the most runs that are computed at once.
        budget: bytes that a step may take.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        client: ClientOptimizer,
        compiled: bool,
        runs: int,
        budget: int,
    ) -> None:
        self._network, self._client, self._runs, self._budget = network, client, runs, budget
        self._rows = task.train.inputs, task.train.targets
        of_all = program(network, task, client, over=over_runs_and_clients)
        self._begin = Traced(_begin(client), compiled)
        self._step = Traced(of_all.step, compiled)
        self._gradient_at_x = Traced(of_all.gradient_at_x, compiled)
        self._end: dict[bool, Traced] = {}
        for watched in (False, True):
            self._end[watched] = Traced(partial(_end, of_all.finish, watched=watched), compiled)
        self._runs_that_fit: dict[tuple[int, int, int], int] = {}
        self._clients_that_fit: dict[tuple[int, int], int] = {}

    def __call__(self, assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        """Compute the cohorts of runs, as many at once as fit."""
        size = self._fitting_runs(next(iter(assignments.values())), places)
        cohorts: dict[int, Cohort] = {}
        for first in range(0, places, size):
            present = [r for r in range(first, first + size) if r in assignments]
            these = {r - first: assignments[r] for r in present}
            if these:
                for r, cohort in self._at_once(these, size).items():
                    cohorts[first + r] = cohort
        return cohorts

    def _at_once(self, assignments: Mapping[int, Assignment], R: int) -> dict[int, Cohort]:
        """Compute as many runs as fit. In the place of one that is absent stands another's idle
        cohort.
        """
        some = next(iter(assignments.values()))
        filled = list(assignments.values())
        if len(filled) < R:
            nobody = some._replace(plan=idle(some.plan))
            filled = [assignments.get(r, nobody) for r in range(R)]
        beginnings = Beginnings.of_runs(filled)
        rate = np.array([asked.rate for asked in filled]) if R > 1 else np.array(some.rate)
        whole = of_runs([asked.plan for asked in filled])
        K = len(some.memories)
        size = K if R > 1 else self._fitting_clients(beginnings, whole)
        memories = {r: list(asked.memories) for r, asked in assignments.items()}
        sums: Sums | None = None
        for chosen_K, plan in chunks(whole, size):
            these = beginnings if size >= K else beginnings.of(chosen_K)
            kept, more = self._compute(these, rate, plan, some.watched)
            for r in assignments:
                own = _taken(kept, r, R)
                for k in np.flatnonzero(plan.steps_K[r] if R > 1 else plan.steps_K):
                    memories[r][chosen_K[k]] = {name: leaf[k] for name, leaf in own.items()}
            if sums is None:
                sums = more
            else:
                sums.add(more)
        assert sums is not None, "an executor is asked for cohorts of which somebody reports"
        cohorts = {}
        for r, asked in assignments.items():
            own_sums = Sums(*(_taken(of_all, r, R) for of_all in sums))
            cohorts[r] = own_sums.cohort(memories[r], asked)
        return cohorts

    def _compute(
        self, beginnings: Beginnings, rate: Floats, plan: RoundPlan, watched: bool
    ) -> tuple[Tree, Sums]:
        """Return what each client keeps, and what the clients of each run add up to.

        All of it has an axis of runs before the others, where there are several.

        Args:
            beginnings: what clients begin with.
            rate: the clients' rate in each run.
            plan: the round of the runs.
            watched: whether a probe looks at this round.
        """
        x, shared, memory = beginnings
        network = self._network

        def tensor(values: Any, dtype: torch.dtype | None = None) -> Tensor:
            return torch.as_tensor(values, dtype=dtype, device=network.device)

        steps_of = np.atleast_2d(plan.steps_K).max(1).tolist()
        S = max(steps_of)
        rows_SKB = tensor(np.ascontiguousarray(np.moveaxis(plan.rows_KSB[..., :S, :], -2, 0)))
        key_K = tensor(plan.keys_K, torch.int32)
        step_S = np.arange(S, dtype=np.int32).reshape(S, *[1] * key_K.ndim)
        key_SK = key_K.expand(S, *key_K.shape)
        if network.draws:
            key_SK = rng.step_key(key_K, tensor(step_S))
        # A client that is done stays where it is: its rate is zero.
        rate_SK = tensor(rate[..., None] * (step_S < plan.steps_K), network.dtype)
        y, local, tally_K = self._begin(x, shared, memory, key_K)
        advance = self._step.bound(x, y, local, shared, memory, tally_K, *self._rows)
        aside: Aside = {}
        of_steps = zip(rate_SK.unbind(), rows_SKB.unbind(), key_SK.unbind(), strict=True)
        for s, of_step in enumerate(of_steps):
            aside |= _set_aside(y, tally_K, [r for r, steps in enumerate(steps_of) if steps == s])
            advance(*of_step)
        _put_back(y, tally_K, aside)
        at_x: Tree = {}
        if self._client.wants_grad_at_x:
            all_rows_KM, key_at_x_K = tensor(plan.all_rows_KM), rng.step_key(key_K, -1)
            (at_x,) = self._gradient_at_x(x, *self._rows, all_rows_KM, key_at_x_K)
        steps_K, weights_K = tensor(plan.steps_K), tensor(plan.weights_K, network.dtype)
        kept, *sums = self._end[watched](
            x, y, at_x, shared, memory, tensor(rate, network.dtype), tally_K, weights_K, steps_K
        )
        return kept, Sums(*sums)

    def _fitting_runs(self, some: Assignment, places: int) -> int:
        """How many runs are computed at once, with their whole cohorts, so that all turns are of
        about one size.
        """
        if min(places, self._runs) == 1:
            return 1
        K, _, B = some.plan.rows_KSB.shape

        def peak(size: int) -> int:
            return self._peak_bytes(Beginnings.of_runs([some] * size), (size, K), B)

        if (places, K, B) not in self._runs_that_fit:
            at_first = self._budget // (3 * K * trees.size_in_bytes(some.x))
            self._runs_that_fit[places, K, B] = self._most(places, at_first, peak)
        turns = -(-places // min(self._runs, self._runs_that_fit[places, K, B]))
        return -(-places // turns)

    def _fitting_clients(self, beginnings: Beginnings, plan: RoundPlan) -> int:
        """How many clients of one run are computed at once; one that does not fit is computed with
        a warning.
        """
        K, _, B = plan.rows_KSB.shape

        def peak(size: int) -> int:
            return self._peak_bytes(beginnings.of(np.arange(size)), (size,), B)

        if (K, B) not in self._clients_that_fit:
            at_first = self._budget // (3 * trees.size_in_bytes(beginnings.x))
            size = self._clients_that_fit[K, B] = self._most(K, at_first, peak)
            if size == 1 and (need := peak(1)) > self._budget:
                given, need = self._budget // 2**20, -(-need // 2**20)
                warnings.warn(
                    f"memory_mib={given}, but a step of one client takes {need}; it is taken",
                    stacklevel=2,
                )
        return self._clients_that_fit[K, B]

    def _peak_bytes(self, beginnings: Beginnings, shape: tuple[int, ...], B: int) -> int:
        """What a step for clients [K] or [R, K] was recorded to take."""
        x, shared, memory = beginnings
        device, dtype = self._network.device, self._network.dtype
        key_K = torch.empty(shape, dtype=torch.int32, device=device)
        y, local, tally_K = self._begin(x, shared, memory, key_K)
        rows_KB = torch.empty(*shape, B, dtype=torch.int64, device=device)
        rate_K = torch.empty(shape, dtype=dtype, device=device)
        return self._step.peak_bytes(
            x, y, local, shared, memory, tally_K, *self._rows, rate_K, rows_KB, key_K
        )

    def _most(self, wanted: int, at_first: int, peak_of: Callable[[int], int]) -> int:
        """How many of those that are wanted may be computed at once. `at_first`: whose weights,
        gradients and steps alone fit.
        """
        size = max(1, min(wanted, at_first))
        while size > 1 and (peak := peak_of(size)) > self._budget:
            size = max(1, min(size - 1, size * self._budget // peak))
        return size


def _begin(client: ClientOptimizer) -> Callable[..., tuple[Tree, Tree, Tensor]]:
    """Return (x, shared, memory, key_K) -> what clients start with, in memory of their own."""

    def of_client(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> Tree:
        return client.begin(x, shared, memory)

    locals_ = over_runs_and_clients(of_client, x=RUN, shared=RUN, memory=CLIENT, key=CLIENT)

    def begin(x: Tree, shared: Tree, memory: Tree, key_K: Tensor) -> tuple[Tree, Tree, Tensor]:
        runs, shape = key_K.ndim - 1, key_K.shape
        y = trees.map_tree(lambda one: one.unsqueeze(runs).expand(*shape, *one.shape[runs:]), x)
        local = {} if client.begin is begin_with_nothing else locals_(x, shared, memory, key_K)
        tally_K = next(iter(x.values())).new_zeros(*shape, 2)
        return trees.map_tree(_copy, y), trees.map_tree(_copy, local), tally_K

    return begin


def _copy(leaf: Tensor) -> Tensor:
    """Not `contiguous`, which copies nothing where there is one client."""
    return leaf.clone(memory_format=torch.contiguous_format)


def _end(
    finish: Callable[..., Any], x: Tree, y: Tree, at_x: Tree, shared: Tree, memory: Tree,
    rate: Tensor, tally_K: Tensor, weights_K: Tensor, steps_K: Tensor, *, watched: bool,
) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:  # fmt: skip
    """Return what each client keeps, and the fields of `Sums` of each run."""
    upload, delta = finish(x, y, at_x, shared, memory, rate, steps_K)

    def sums(upload: Any, delta: Tree, tally_K: Tensor, weights_K: Tensor) -> Any:
        update, message = _weighted(weights_K, upload.update), _weighted(weights_K, upload.message)
        if not watched:
            return update, message, tally_K.sum(0), weights_K.new_zeros(()), {}, {}
        reports_K = (weights_K > 0).to(weights_K.dtype)
        squares = [(leaf_K.reshape(len(leaf_K), -1) ** 2).sum(1) for leaf_K in delta.values()]
        length_K = torch.stack(squares).sum(0).sqrt()
        unit_K = reports_K * to_unit_length(length_K)
        squared_norms = (reports_K * length_K**2).sum()
        total, unit_total = _weighted(reports_K, delta), _weighted(unit_K, delta)
        return update, message, tally_K.sum(0), squared_norms, total, unit_total

    of_all = sums if weights_K.ndim == 1 else vmap(sums)
    return (upload.memory, *of_all(upload, delta, tally_K, weights_K))


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)


def _set_aside(y: Tree, tally_K: Tensor, done: Sequence[int]) -> Aside:
    """Copy y and `tally` of runs that have done their steps while others have not.

    At a rate of zero they go on, and zero times what overflows would not leave them as they are.
    """
    aside: Aside = {}
    for r in done:
        aside[r] = {name: leaf[r].clone() for name, leaf in y.items()}, tally_K[r].clone()
    return aside


def _put_back(y: Tree, tally_K: Tensor, aside: Aside) -> None:
    for r, (of_run, tally) in aside.items():
        for name, leaf in of_run.items():
            y[name][r] = leaf
        tally_K[r] = tally


def _taken(of_all: Any, r: int, R: int) -> Any:
    """The part of one run, in memory of its own: a round must not keep that of all runs."""
    if R == 1:
        return of_all
    if isinstance(of_all, dict):
        return {name: leaf[r].clone() for name, leaf in of_all.items()}
    return of_all[r].clone()
