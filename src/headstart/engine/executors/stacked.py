"""The cohort as one tensor program with a leading axis of clients; several runs with one more axis before it.

The step of one client is written once, vectorised over clients (and runs) with `torch.func.vmap`, and recorded
(`traced`) the first time that its shapes are seen. For models whose time goes into starting operations rather than into
arithmetic this is several times faster than the loop.

Where a step of the whole cohort would not fit the memory allowed, the cohort is cut into chunks of one size, clients
with most steps first, so that clients of a chunk do about as many; what a chunk lacks is filled with clients that do
nothing. Several runs are cut into as many as fit with their whole cohorts.

Shape suffixes: R runs, K clients of the cohort or chunk, S local steps, B rows of a batch. What ends in K has an axis
of runs before it where several are computed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.func import vmap

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload, begin_with_nothing
from headstart.engine.devices import Ints
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor, Part, Together
from headstart.engine.executors.masked import masked_gradient
from headstart.engine.executors.sums import Sums, add, cohort
from headstart.engine.executors.traced import Traced
from headstart.engine.plan import PAD, RoundPlan
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.registry import AddedLater
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
    gradient = masked_gradient(network, task)

    def begin(x: Tree, shared: Tree, memory: Tree, key: Tensor) -> tuple[Tree]:
        return (client.begin(x, shared, memory),)

    def direction(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor,
        key: Tensor,
    ) -> tuple[Tree, Tree, Tensor]:  # fmt: skip
        g, of_batch = gradient(y, inputs, targets, rows_B, key)
        return *client.direction(g, y, x, local, shared, memory), torch.stack(of_batch)

    directions = _over(direction, "kkrrk..kk")

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen_K: Tensor, inputs: Tensor, targets: Tensor,
        rows_KB: Tensor, key_K: Tensor, rate_K: Tensor,
    ) -> tuple[()]:  # fmt: skip
        d_K, after_K, of_batch_K = directions(y, local, x, shared, memory, inputs, targets, rows_KB, key_K)
        for name, leaf_K in y.items():
            leaf_K.sub_(rate_K.reshape(*rate_K.shape, *[1] * (leaf_K.ndim - rate_K.ndim)) * d_K[name])
        for name, leaf_K in local.items():
            leaf_K.copy_(after_K[name])
        seen_K.add_(of_batch_K)
        return ()

    def gradient_at_x(x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def finish(
        y: Tree, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, steps: Tensor
    ) -> tuple[Upload, Tree]:
        return client.finish(x, y, steps.clamp(min=1), rate, at_x, shared, memory), trees.subtract(x, y)

    def end(
        y: Tree, at_x: Tree, memory: Tree, x: Tree, shared: Tree, rate: Tensor, steps_K: Tensor, seen_K: Tensor,
        weights_K: Tensor, *, watched: bool,
    ) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:  # fmt: skip
        upload_K, delta_K = vmap(finish, in_dims=(0, 0, 0, None, None, None, 0))(
            y, at_x, memory, x, shared, rate, steps_K
        )
        update, message = _weighted(weights_K, upload_K.update), _weighted(weights_K, upload_K.message)
        if not watched:
            return upload_K.memory, update, message, seen_K.sum(0), weights_K.new_zeros(()), {}, {}
        reports_K = (weights_K > 0).to(weights_K.dtype)
        length_K = torch.stack([(leaf_K.flatten(1) ** 2).sum(1) for leaf_K in delta_K.values()]).sum(0).sqrt()
        unit_K = reports_K / length_K.clamp(min=torch.finfo(length_K.dtype).tiny)
        squared_norms = (reports_K * length_K**2).sum()
        total, unit_total = _weighted(reports_K, delta_K), _weighted(unit_K, delta_K)
        return upload_K.memory, update, message, seen_K.sum(0), squared_norms, total, unit_total

    def ends(*arguments: Any, watched: bool) -> tuple[Tree, Tree, Tree, Tensor, Tensor, Tree, Tree]:
        of_run = partial(end, watched=watched)
        weights_K: Tensor = arguments[-1]
        return of_run(*arguments) if weights_K.ndim == 1 else vmap(of_run)(*arguments)

    begin_K = Traced(_over(begin, "rrkk"))
    step_K = Traced(step, compiled)
    gradient_at_x_K = Traced(_over(gradient_at_x, "r..kk"), compiled)
    end_K = {watched: Traced(partial(ends, watched=watched), compiled) for watched in (False, True)}
    inputs, targets = task.train.inputs, task.train.targets
    budget = memory_mib * 2**20
    fitting: dict[tuple[int, ...], int] = {}

    def beginning(x: Tree, shared: Tree, memory: Tree, shape: torch.Size) -> tuple[Tree, Tree, Tensor]:
        """y_K, local_K, and nothing seen yet, for [K] or [R, K]; memory of their own, as steps change them in place."""
        of_runs = len(shape) - 1
        local: Tree = {}
        if client.begin is not begin_with_nothing:
            (local,) = begin_K(x, shared, memory, torch.zeros(shape, device=network.device))
        y = {name: leaf.unsqueeze(of_runs).expand(*shape, *leaf.shape[of_runs:]) for name, leaf in x.items()}
        y, local = (  # not `contiguous`, which copies nothing where there is one client
            trees.map_tree(lambda leaf: leaf.clone(memory_format=torch.contiguous_format), tree) for tree in (y, local)
        )
        return y, local, torch.zeros(*shape, 2, dtype=network.dtype, device=network.device)

    def peak_bytes(x: Tree, shared: Tree, memory: Tree, shape: torch.Size, B: int) -> int:
        """What a step for [K] or [R, K] clients was recorded to take."""
        y, local, seen_K = beginning(x, shared, memory, shape)
        empty = partial(torch.empty, device=network.device)
        rows_KB, key_K = empty(*shape, B, dtype=torch.int64), empty(shape, dtype=torch.int32)
        rate_K = empty(shape, dtype=network.dtype)
        return step_K.peak_bytes(y, local, x, shared, memory, seen_K, inputs, targets, rows_KB, key_K, rate_K)

    def most(of: tuple[int, ...], at_first: int, peak_of: Callable[[int], int]) -> int:
        """How many of `of[0]` may be computed at once. `at_first`: whose weights, gradients and steps alone fit."""
        if of not in fitting:
            size = max(1, min(of[0], at_first))
            while size > 1 and (peak := peak_of(size)) > budget:
                size = max(1, min(size - 1, size * budget // peak))
            fitting[of] = size
        return fitting[of]

    def compute(
        x: Tree, shared: Tree, memory: Tree, rate: Any, plan: RoundPlan, steps_of: Sequence[int], watched: bool
    ) -> tuple[Tree, Sums]:
        """What each client keeps, and what they add up to; `steps_of` the runs, each with its slowest client's steps.

        With several runs every argument has an axis of them, before the others.
        """
        S, on = max(steps_of), partial(torch.as_tensor, device=network.device)
        rows_SKB = on(np.ascontiguousarray(np.moveaxis(plan.rows_KSB[..., :S, :], -2, 0)))
        key_K = on(plan.keys_K, dtype=torch.int32)
        step_S = np.arange(S, dtype=np.int32).reshape(S, *[1] * key_K.ndim)
        key_SK = step_key(key_K, on(step_S)) if network.draws else key_K.expand(S, *key_K.shape)
        rate_K = np.asarray(rate)[..., None]
        rate_SK = on(rate_K * (step_S < plan.steps_K), dtype=network.dtype)  # a client that is done stays where it is
        y, local, seen_K = beginning(x, shared, memory, key_K.shape)
        advance = step_K.bound(y, local, x, shared, memory, seen_K, inputs, targets)
        aside: dict[int, tuple[Tree, Tensor]] = {}
        for s, of_step in enumerate(zip(rows_SKB.unbind(), key_SK.unbind(), rate_SK.unbind(), strict=True)):
            aside |= {r: _slice(y, seen_K, r) for r, steps in enumerate(steps_of) if steps == s}
            advance(*of_step)
        for r, (y_K, seen) in aside.items():  # zero times what overflows would not have left it as it is
            for name, leaf in y_K.items():
                y[name][r] = leaf
            seen_K[r] = seen
        at_x: Tree = {}
        if client.wants_grad_at_x:
            (at_x,) = gradient_at_x_K(x, inputs, targets, on(plan.all_rows_KM), step_key(key_K, -1))
        rate_, weights_K = on(rate, dtype=network.dtype), on(plan.weights_K, dtype=network.dtype)
        memory, *sums = end_K[watched](y, at_x, memory, x, shared, rate_, on(plan.steps_K), seen_K, weights_K)
        return memory, Sums(*sums)

    def one(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        memory = _stack(memories)
        after, sums = list(memories), None
        K, _, B = plan.rows_KSB.shape

        def peak(size: int) -> int:
            return peak_bytes(x, shared, trees.map_tree(lambda leaf: leaf[:size], memory), torch.Size([size]), B)

        size = most((K, B), budget // (3 * trees.size_in_bytes(x)), peak)
        for chosen, part in _chunks(plan, size):
            places = torch.as_tensor(chosen, device=network.device)
            part_memory = trees.map_tree(lambda leaf, places=places: leaf[places], memory)
            kept, more = compute(x, shared, part_memory, rate, part, [int(part.steps_K.max())], watched)
            if sums is None:
                sums = more
            else:
                add(sums, more)
            for place in np.flatnonzero(part.steps_K):
                after[chosen[place]] = {name: leaf[place] for name, leaf in kept.items()}
        assert sums is not None, "an executor is asked for cohorts of which somebody reports"
        return cohort(sums, after, plan, watched)

    def several(parts: Sequence[Part | None], watched: bool) -> list[Cohort | None]:
        some = next(part for part in parts if part is not None)
        K, _, B = some.plan.rows_KSB.shape

        def peak(size: int) -> int:
            x, shared, memory = (_stack([tree] * size) for tree in (some.x, some.shared, _stack(some.memories)))
            return peak_bytes(x, shared, memory, torch.Size([size, K]), B)

        at_first = budget // (3 * K * trees.size_in_bytes(some.x))
        count = -(-len(parts) // most((len(parts), K, B), at_first, peak))
        size = -(-len(parts) // count)
        if size == 1:
            return [None if part is None else one(*part, watched) for part in parts]
        cohorts: list[Cohort | None] = []
        for first in range(0, len(parts), size):
            these = [*parts[first : first + size], *[None] * (first + size - len(parts))]
            cohorts += at_once(these, some, watched) if any(these) else [None] * size
        return cohorts[: len(parts)]

    def at_once(parts: Sequence[Part | None], some: Part, watched: bool) -> list[Cohort | None]:
        """As many runs as fit. In the place of one that has no part stands another, whose clients do no steps."""
        steps_of = [0 if part is None else int(part.plan.steps_K.max()) for part in parts]
        filled = [some._replace(plan=_idle(some.plan)) if part is None else part for part in parts]
        x, shared = _stack([part.x for part in filled]), _stack([part.shared for part in filled])
        memory = _stack([_stack(part.memories) for part in filled])
        plan = _of_runs([part.plan for part in filled])
        kept, sums = compute(x, shared, memory, [part.rate for part in filled], plan, steps_of, watched)
        cohorts: list[Cohort | None] = [None] * len(parts)
        for r, part in enumerate(parts):
            if part is not None:
                # In memory of its own: a round must not keep that of all runs.
                own = Sums(*(_taken(of_runs, r) for of_runs in sums))
                memories = _taken(kept, r)
                after = [
                    {name: leaf[k] for name, leaf in memories.items()} if part.plan.steps_K[k] else before
                    for k, before in enumerate(part.memories)
                ]
                cohorts[r] = cohort(own, after, part.plan, watched)
        return cohorts

    return one if runs == 1 else Together(one, several, runs)


def _over(function: Callable[..., Any], axes: str) -> Callable[..., Any]:
    """`function` over clients, and over runs where its last argument has an axis of them.

    `axes` has a letter for each argument: k for one value a client, r for one a run, and a point for one for all.
    """
    over_clients = vmap(function, in_dims=tuple(0 if axis == "k" else None for axis in axes))
    over_runs = vmap(over_clients, in_dims=tuple(None if axis == "." else 0 for axis in axes))
    return lambda *arguments: (over_clients if arguments[-1].ndim == 1 else over_runs)(*arguments)


def _stack(of: Sequence[Tree]) -> Tree:
    return {name: torch.stack([tree[name] for tree in of]) for name in of[0]}


def _slice(y: Tree, seen_K: Tensor, r: int) -> tuple[Tree, Tensor]:
    return trees.map_tree(lambda leaf: leaf[r].clone(), y), seen_K[r].clone()


def _taken(of_runs: Any, r: int) -> Any:
    return {name: leaf[r].clone() for name, leaf in of_runs.items()} if isinstance(of_runs, dict) else of_runs[r]


def _idle(plan: RoundPlan) -> RoundPlan:
    nobody_K = np.zeros_like(plan.steps_K)
    return replace(
        plan, rows_KSB=np.full_like(plan.rows_KSB, PAD), steps_K=nobody_K, weights_K=np.zeros_like(plan.weights_K)
    )


def _of_runs(plans: Sequence[RoundPlan]) -> RoundPlan:
    """With an axis of runs before the others; all have the steps of the longest."""
    S = max(plan.rows_KSB.shape[1] for plan in plans)

    def rows(plan: RoundPlan) -> Ints:
        K, steps, B = plan.rows_KSB.shape
        return np.concatenate([plan.rows_KSB, np.full((K, S - steps, B), PAD)], axis=1)

    return replace(
        plans[0],
        clients_K=np.stack([plan.clients_K for plan in plans]),
        rows_KSB=np.stack([rows(plan) for plan in plans]),
        steps_K=np.stack([plan.steps_K for plan in plans]),
        weights_K=np.stack([plan.weights_K for plan in plans]),
        keys_K=np.stack([plan.keys_K for plan in plans]),
        all_rows_KM=np.stack([plan.all_rows_KM for plan in plans]),
    )


def _chunks(plan: RoundPlan, size: int) -> Iterator[tuple[Ints, RoundPlan]]:
    """Places in the cohort, and the plan of only these; the last is filled with clients of no steps and no weight."""
    K = len(plan.clients_K)
    if size >= K:
        yield np.arange(K), plan
        return
    order = np.argsort(-plan.steps_K, kind="stable")
    count = -(-K // size)
    size = -(-K // count)
    for first in range(0, K, size):
        chosen = order[first : first + size]
        filled = np.concatenate([chosen, np.repeat(chosen[-1:], size - len(chosen))])
        real = np.arange(size) < len(chosen)
        steps_K = np.where(real, plan.steps_K[filled], 0)
        if steps_K.any():
            yield (
                filled,
                replace(
                    plan,
                    clients_K=plan.clients_K[filled],
                    rows_KSB=plan.rows_KSB[filled],
                    steps_K=steps_K,
                    weights_K=np.where(real, plan.weights_K[filled], 0.0),
                    keys_K=plan.keys_K[filled],
                    all_rows_KM=plan.all_rows_KM[filled],
                ),
            )


def _weighted(weights_K: Tensor, tree_K: Tree) -> Tree:
    return trees.map_tree(lambda leaf_K: torch.tensordot(weights_K, leaf_K, 1), tree_K)
