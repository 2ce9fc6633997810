"""The cohort as one tensor program with a leading axis of clients; several runs with one more axis before it.

For models whose time goes into starting operations rather than into arithmetic this is several times faster than the
loop. Where a step of the whole cohort would not fit the memory allowed, the cohort is cut into `chunks`; several runs
are cut into as many as fit with their whole cohorts.

Shape suffixes: K clients of the cohort or chunk, S local steps, B rows of a batch. What ends in K has an axis of runs
before it where several are computed.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor, Part, Together
from headstart.engine.executors.chunks import chunks, idle, of_runs
from headstart.engine.executors.sums import Sums, add, cohort
from headstart.engine.executors.vectorised import vectorised
from headstart.engine.plan import RoundPlan
from headstart.models.conversion.dropout import step_key
from headstart.models.network import Network
from headstart.parts.registry import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree


@EXECUTORS.register("stacked", source="arXiv 2108.02117 (FedJAX) vectorises clients the same way")
def stacked(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    *,
    compiled: Annotated[bool, Field(description="compile the step with torch.compile: minutes, for long runs")] = False,
    memory_mib: Annotated[
        int, AddedLater(), Field(ge=1, description="what a step of the clients that are computed at once may take")
    ] = 4096,
    runs: Annotated[
        int, AddedLater(), Field(ge=1, description="the most runs of a study that are computed at once")
    ] = 1,
) -> Executor:
    """All clients at once, and several runs of a study: fastest where models are small."""
    stack = Stack(network, task, client, compiled, memory_mib * 2**20)
    return stack.one if runs == 1 else Together(stack.one, stack.several, runs)


class Stack:
    """Clients that are computed at once, as many as fit `budget` bytes."""

    def __init__(self, network: Network, task: Task, client: ClientOptimizer, compiled: bool, budget: int) -> None:
        self._network, self._client, self._budget = network, client, budget
        self._inputs, self._targets = task.train.inputs, task.train.targets
        self._programs = vectorised(network, task, client, compiled)
        self._fitting: dict[tuple[int, ...], int] = {}

    def one(
        self, x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        """The cohort of one run, chunk by chunk."""
        memory = _stack(memories)
        after, sums = list(memories), None
        K, _, B = plan.rows_KSB.shape

        def peak(size: int) -> int:
            of_some = trees.map_tree(lambda leaf: leaf[:size], memory)
            return self._peak_bytes(x, shared, of_some, torch.Size([size]), B)

        at_first_sight = (K, B) not in self._fitting
        size = self._most((K, B), self._budget // (3 * trees.size_in_bytes(x)), peak)
        if at_first_sight and size == 1 and (need := peak(1)) > self._budget:
            given, need = self._budget // 2**20, -(-need // 2**20)
            warnings.warn(f"memory_mib={given}, but a step of one client takes {need}; it is taken", stacklevel=2)
        for chosen, part in chunks(plan, size):
            places = torch.as_tensor(chosen, device=self._network.device)
            part_memory = trees.map_tree(lambda leaf, places=places: leaf[places], memory)
            kept, more = self._compute(x, shared, part_memory, rate, part, [int(part.steps_K.max())], watched)
            if sums is None:
                sums = more
            else:
                add(sums, more)
            for place in np.flatnonzero(part.steps_K):
                after[chosen[place]] = {name: leaf[place] for name, leaf in kept.items()}
        assert sums is not None, "an executor is asked for cohorts of which somebody reports"
        return cohort(sums, after, plan, watched)

    def several(self, parts: Sequence[Part | None], watched: bool) -> list[Cohort | None]:
        """The cohorts of several runs, as many at once as fit."""
        some = next(part for part in parts if part is not None)
        K, _, B = some.plan.rows_KSB.shape

        def peak(size: int) -> int:
            x, shared, memory = (_stack([tree] * size) for tree in (some.x, some.shared, _stack(some.memories)))
            return self._peak_bytes(x, shared, memory, torch.Size([size, K]), B)

        at_first = self._budget // (3 * K * trees.size_in_bytes(some.x))
        count = -(-len(parts) // self._most((len(parts), K, B), at_first, peak))
        size = -(-len(parts) // count)
        if size == 1:
            return [None if part is None else self.one(*part, watched) for part in parts]
        cohorts: list[Cohort | None] = []
        for first in range(0, len(parts), size):
            these = [*parts[first : first + size], *[None] * (first + size - len(parts))]
            cohorts += self._at_once(these, some, watched) if any(these) else [None] * size
        return cohorts[: len(parts)]

    def _at_once(self, parts: Sequence[Part | None], some: Part, watched: bool) -> list[Cohort | None]:
        """As many runs as fit. In the place of one that has no part stands another, whose clients do no steps."""
        steps_of = [0 if part is None else int(part.plan.steps_K.max()) for part in parts]
        filled = [some._replace(plan=idle(some.plan)) if part is None else part for part in parts]
        x, shared = _stack([part.x for part in filled]), _stack([part.shared for part in filled])
        memory = _stack([_stack(part.memories) for part in filled])
        plan = of_runs([part.plan for part in filled])
        kept, sums = self._compute(x, shared, memory, [part.rate for part in filled], plan, steps_of, watched)
        cohorts: list[Cohort | None] = [None] * len(parts)
        for r, part in enumerate(parts):
            if part is not None:
                # In memory of its own: a round must not keep that of all runs.
                own = Sums(*(_taken(of_all, r) for of_all in sums))
                memories = _taken(kept, r)
                after = [
                    {name: leaf[k] for name, leaf in memories.items()} if part.plan.steps_K[k] else before
                    for k, before in enumerate(part.memories)
                ]
                cohorts[r] = cohort(own, after, part.plan, watched)
        return cohorts

    def _compute(
        self, x: Tree, shared: Tree, memory: Tree, rate: Any, plan: RoundPlan, steps_of: Sequence[int], watched: bool
    ) -> tuple[Tree, Sums]:
        """What each client keeps, and what they add up to; `steps_of` the runs, each with its slowest client's steps.

        With several runs every argument has an axis of them, before the others.
        """
        network, programs = self._network, self._programs

        def on(values: Any, dtype: torch.dtype | None = None) -> Tensor:
            return torch.as_tensor(values, dtype=dtype, device=network.device)

        S = max(steps_of)
        rows_SKB = on(np.ascontiguousarray(np.moveaxis(plan.rows_KSB[..., :S, :], -2, 0)))
        key_K = on(plan.keys_K, torch.int32)
        step_S = np.arange(S, dtype=np.int32).reshape(S, *[1] * key_K.ndim)
        key_SK = step_key(key_K, on(step_S)) if network.draws else key_K.expand(S, *key_K.shape)
        rate_K = np.asarray(rate)[..., None]
        rate_SK = on(rate_K * (step_S < plan.steps_K), network.dtype)  # a client that is done stays where it is
        y, local, seen_K = programs.begin(x, shared, memory, key_K)
        advance = programs.step.bound(y, local, x, shared, memory, seen_K, self._inputs, self._targets)
        aside: dict[int, tuple[Tree, Tensor]] = {}
        for s, of_step in enumerate(zip(rows_SKB.unbind(), key_SK.unbind(), rate_SK.unbind(), strict=True)):
            aside |= {r: (_taken(y, r), seen_K[r].clone()) for r, steps in enumerate(steps_of) if steps == s}
            advance(*of_step)
        for r, (y_K, seen) in aside.items():  # zero times what overflows would not have left it as it is
            for name, leaf in y_K.items():
                y[name][r] = leaf
            seen_K[r] = seen
        at_x: Tree = {}
        if self._client.wants_grad_at_x:
            (at_x,) = programs.gradient_at_x(x, self._inputs, self._targets, on(plan.all_rows_KM), step_key(key_K, -1))
        rate_, weights_K = on(rate, network.dtype), on(plan.weights_K, network.dtype)
        memory, *sums = programs.end[watched](y, at_x, memory, x, shared, rate_, on(plan.steps_K), seen_K, weights_K)
        return memory, Sums(*sums)

    def _peak_bytes(self, x: Tree, shared: Tree, memory: Tree, shape: torch.Size, B: int) -> int:
        """What a step for [K] or [R, K] clients was recorded to take."""
        device = self._network.device
        key_K = torch.empty(shape, dtype=torch.int32, device=device)
        y, local, seen_K = self._programs.begin(x, shared, memory, key_K)
        rows_KB = torch.empty(*shape, B, dtype=torch.int64, device=device)
        rate_K = torch.empty(shape, dtype=self._network.dtype, device=device)
        return self._programs.step.peak_bytes(
            y, local, x, shared, memory, seen_K, self._inputs, self._targets, rows_KB, key_K, rate_K
        )

    def _most(self, of: tuple[int, ...], at_first: int, peak_of: Callable[[int], int]) -> int:
        """How many of `of[0]` may be computed at once. `at_first`: whose weights, gradients and steps alone fit."""
        if of not in self._fitting:
            size = max(1, min(of[0], at_first))
            while size > 1 and (peak := peak_of(size)) > self._budget:
                size = max(1, min(size - 1, size * self._budget // peak))
            self._fitting[of] = size
        return self._fitting[of]


def _stack(of: Sequence[Tree]) -> Tree:
    return {name: torch.stack([tree[name] for tree in of]) for name in of[0]}


def _taken(of_all: Any, r: int) -> Any:
    return {name: leaf[r].clone() for name, leaf in of_all.items()} if isinstance(of_all, dict) else of_all[r]
