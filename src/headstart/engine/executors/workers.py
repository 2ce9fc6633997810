"""The clients of a group, one after another: weights are updated in place, and no step makes memory that it can avoid.

A cohort is cut into groups of about equal work. A group adds up its clients, and groups are added up in their order, so
that the result depends neither on which worker was faster, nor on how many there are. Convolutions run in channels-last
layout where the weights allow it. Compiled, the step is one C++ function without Python's lock, in which activations,
dropout, pooling and the update are fused around the convolutions and matrix products.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NamedTuple, Protocol

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.devices import Ints
from headstart.engine.executors.program import Layout, masked_gradient
from headstart.engine.executors.sums import Sums
from headstart.engine.plan import PAD, RoundPlan
from headstart.kernels.recorded import Traced
from headstart.models.conversion.dropout import step_key
from headstart.models.network import Network
from headstart.parts.registry import AddedLater
from headstart.tasks.base import Task
from headstart.trees import Tree

GROUPS = 8
"""Of a cohort: enough to keep the cores of a small machine busy to the end, few enough that adding up costs little."""

ChannelsLast = Annotated[bool, Field(description="lay images out with channels last")]
Compiled = Annotated[
    bool, AddedLater(), Field(description="compile the step with torch.compile: seconds to a minute, for long runs")
]
Memories = Sequence[Tree] | Mapping[int, Tree]
"""Of clients by their places in the cohort: at least those of a group."""


class Compute(Protocol):
    """Add the clients of a group to sums, and return what each of them keeps. `x` is laid out as the work wants it."""

    def __call__(
        self, x: Tree, shared: Tree, memories: Memories, rate: float, plan: RoundPlan, group: list[int], sums: Sums
    ) -> dict[int, Tree]:
        """Compute the group."""


class Work(NamedTuple):
    """The work on a group: to do it, and to record and compile what it replays, for the shapes of a plan.

    prepare(x, shared, memory, plan, sums of a watched round).
    """

    compute: Compute
    prepare: Callable[[Tree, Tree, Tree, RoundPlan, Sums], None]


def layout(channels_last: bool) -> Layout:
    """What lays a tensor out as the work wants it."""
    return trees.channels_last if channels_last else _as_it_is


def grouped(network: Network, task: Task, client: ClientOptimizer, channels_last: bool, compiled: bool) -> Work:
    """The work on a group; it may be done by several threads at once, each with one torch thread."""
    gradient = masked_gradient(network, task, layout(channels_last))

    def step(
        y: Tree, local: Tree, x: Tree, shared: Tree, memory: Tree, seen: Tensor, inputs: Tensor, targets: Tensor,
        rate: Tensor, rows_B: Tensor, key: Tensor,
    ) -> tuple[()]:  # fmt: skip
        g, of_batch = gradient(y, inputs, targets, rows_B, key)
        d, after = client.direction(g, y, x, local, shared, memory)
        for name, leaf in y.items():
            leaf.sub_(rate * d[name])
        for name, leaf in local.items():
            leaf.copy_(after[name])
        seen.add_(torch.stack(of_batch))
        return ()

    def gradient_at_x(x: Tree, inputs: Tensor, targets: Tensor, rows_M: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_M, key)[0],)

    def end(
        y: Tree, x: Tree, at_x: Tree, shared: Tree, memory: Tree, update: Tree, message: Tree, seen: Tensor,
        squared_norms: Tensor, total: Tree, unit_total: Tree, rate: Tensor, steps: Tensor, weight: Tensor,
    ) -> tuple[Tree]:  # fmt: skip
        upload = client.finish(x, y, steps, rate, at_x, shared, memory)
        _accumulate(update, upload.update, weight)
        _accumulate(message, upload.message, weight)
        if total:
            delta = trees.subtract(x, y)
            squared = trees.dot(delta, delta)
            squared_norms.add_(squared)
            _accumulate(total, delta)
            _accumulate(unit_total, delta, 1 / squared.sqrt().clamp(min=torch.finfo(squared.dtype).tiny))
        return (upload.memory,)

    # Compiled for whole batches; the short ones at the end of an epoch are as few as their rows, and only recorded.
    end_, plain = Traced(end, compiled), not channels_last
    step_, gradient_at_x_ = (Traced(of, compiled, plain) for of in (step, gradient_at_x))
    short_step, short_gradient_at_x = step_, gradient_at_x_
    if compiled:
        short_step, short_gradient_at_x = (Traced(of, as_written=plain) for of in (step, gradient_at_x))

    def compute(
        x: Tree, shared: Tree, memories: Memories, rate: float, plan: RoundPlan, group: list[int], sums: Sums
    ) -> dict[int, Tree]:
        inputs, targets = task.train.inputs, task.train.targets
        rate_ = torch.tensor(rate, dtype=network.dtype, device=network.device)
        kept, y = {}, trees.map_tree(torch.empty_like, x)
        for k in group:
            for name, leaf in x.items():
                y[name].copy_(leaf)
            key = torch.tensor(plan.keys_K[k], dtype=torch.int32, device=network.device)
            # Memory of its own: what `begin` returns may be a part of x, and steps change it in place.
            local = trees.map_tree(torch.clone, client.begin(x, shared, memories[k]))
            fixed = (y, local, x, shared, memories[k], sums.seen, inputs, targets, rate_)
            whole, short = step_.bound(*fixed), short_step.bound(*fixed)
            for s in range(plan.steps_K[k]):
                rows_B = _rows(plan.rows_KSB[k, s], network.device)
                advance = whole if len(rows_B) == plan.rows_KSB.shape[-1] else short
                advance(rows_B, step_key(key, s))
            at_x: Tree = {}
            if client.wants_grad_at_x:
                rows_M = _rows(plan.all_rows_KM[k], network.device)
                at = gradient_at_x_ if len(rows_M) == plan.all_rows_KM.shape[-1] else short_gradient_at_x
                (at_x,) = at(x, inputs, targets, rows_M, step_key(key, -1))
            numbers = torch.tensor([plan.steps_K[k], plan.weights_K[k]], dtype=network.dtype, device=network.device)
            (kept[k],) = end_(y, x, at_x, shared, memories[k], *sums, rate_, *numbers)
        return kept

    def prepare(x: Tree, shared: Tree, memory: Tree, plan: RoundPlan, sums: Sums) -> None:
        rows = task.train.inputs, task.train.targets
        y, local = trees.map_tree(torch.empty_like, x), trees.map_tree(torch.clone, client.begin(x, shared, memory))
        key, *numbers = (torch.zeros((), dtype=d, device=network.device) for d in (torch.int32, *[network.dtype] * 3))
        for rows_B in _widths(plan.rows_KSB, network.device):
            traced = step_ if len(rows_B) == plan.rows_KSB.shape[-1] else short_step
            traced.prepare(y, local, x, shared, memory, sums.seen, *rows, numbers[0], rows_B, key)
        if client.wants_grad_at_x:
            for rows_M in _widths(plan.all_rows_KM, network.device):
                traced = gradient_at_x_ if len(rows_M) == plan.all_rows_KM.shape[-1] else short_gradient_at_x
                traced.prepare(x, *rows, rows_M, key)
        at_x = trees.map_tree(torch.empty_like, x) if client.wants_grad_at_x else {}
        for seen in (sums, unwatched(sums)):
            end_.prepare(y, x, at_x, shared, memory, *seen, *numbers)

    return Work(compute, prepare)


def groups(plan: RoundPlan) -> list[list[int]]:
    """The places of the reporting clients, those with most steps first, dealt out like cards."""
    heaviest_first = sorted(plan.reporting_clients, key=lambda k: -int(plan.steps_K[k]))
    return [heaviest_first[first::GROUPS] for first in range(min(GROUPS, len(heaviest_first)))]


def upload_of(client: ClientOptimizer, x: Tree, shared: Tree, memory: Tree) -> Upload:
    """What a client uploads, without its numbers (on the device `meta`)."""
    meta = [trees.map_tree(lambda leaf: leaf.to("meta"), tree) for tree in (x, shared, memory)]
    return client.finish(meta[0], meta[0], 1, 1.0, meta[0] if client.wants_grad_at_x else {}, *meta[1:])


def empty(upload: Upload, x: Tree, watched: bool) -> Sums:
    """The sums over no clients."""
    some = next(iter(x.values()))
    return Sums(
        update=trees.map_tree(lambda leaf: torch.zeros_like(leaf, device=some.device), upload.update),
        message=trees.map_tree(lambda leaf: torch.zeros_like(leaf, device=some.device), upload.message),
        seen=some.new_zeros(2),
        squared_norms=some.new_zeros(()),
        total=trees.zeros_like(x) if watched else {},
        unit_total=trees.zeros_like(x) if watched else {},
    )


def unwatched(sums: Sums) -> Sums:
    """Without what only probes ask for."""
    return sums._replace(total={}, unit_total={})


def _accumulate(sums: Tree, tree: Tree, factor: Tensor | None = None) -> None:
    for name, leaf in tree.items():
        sums[name].add_(leaf if factor is None else factor * leaf)


def _widths(padded: Ints, device: torch.device) -> list[Tensor]:
    """One batch of each width that `_rows` gives."""
    flat = padded.reshape(-1, padded.shape[-1])
    _, first = np.unique((flat != PAD).sum(-1), return_index=True)
    batches = [_rows(flat[i], device) for i in first if flat[i, 0] != PAD]
    return list({len(batch): batch for batch in batches}.values())


def _rows(padded: Ints, device: torch.device) -> Tensor:
    """The rows of a batch, which stand before its padding, without most of that: few widths, so few recordings."""
    width = len(padded)
    real = int((padded != PAD).sum())
    while -(-width // 2) >= real and width > 1:
        width = -(-width // 2)
    return torch.as_tensor(padded[:width], device=device)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
