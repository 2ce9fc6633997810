"""The clients of a portion, one after another: weights are updated in place, and no step makes
memory that it can avoid.

A cohort is cut into portions of about equal work. A portion adds up its clients, and portions are
added up in their order, so that the result depends neither on which worker was faster, nor on how
many there are. Convolutions run in channels-last layout where the weights allow it. Compiled, the
step is one C++ function without Python's lock, in which activations, dropout, pooling and the
update are fused around the convolutions and matrix products.

Shape suffixes: S local steps, B rows of a batch, M rows of a client.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from headstart import rng, trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.devices import Ints
from headstart.engine.executors.base import Assignment
from headstart.engine.executors.program import Layout, as_it_is, program
from headstart.engine.executors.sums import Sums
from headstart.engine.plan import PAD, RoundPlan
from headstart.kernels.recorded import Traced, Value
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree

PORTIONS = 8
"""Of a cohort: enough to keep the cores of a small machine busy to the end, few enough to be added
up in no time.
"""


class PortionWork:
    """The work on a portion; several threads may do it at once, each with one torch thread.

    Args:
        network: the model as a function of its parameters.
        task: the task, on the network's device.
        client: the client optimizer.
        channels_last: lay images and filters out with channels last.
        compiled: compile the step for whole batches; short ones, at the end of an epoch, are only
            recorded.
    """

    def __init__(
        self,
        network: Network,
        task: Task,
        client: ClientOptimizer,
        channels_last: bool,
        compiled: bool,
    ) -> None:
        self.layout: Layout = trees.channels_last if channels_last else as_it_is
        self._client, self._device, self._dtype = client, network.device, network.dtype
        self._rows = task.train.inputs, task.train.targets
        of_client = program(network, task, client, layout=self.layout)

        def end(
            x: Tree, y: Tree, at_x: Tree, shared: Tree, memory: Tree,
            update: Tree, message: Tree, tally: Tensor, squared_norms: Tensor, total: Tree,
            unit_total: Tree, rate: Tensor, steps: Tensor, weight: Tensor,
        ) -> tuple[Tree]:  # fmt: skip
            upload, delta = of_client.finish(x, y, at_x, shared, memory, rate, steps)
            sums = Sums(update, message, tally, squared_norms, total, unit_total)
            sums.take_up(upload, delta, weight)
            return (upload.memory,)

        self._end = Traced(end, compiled)
        self._step = _ByWidth(of_client.step, compiled, not channels_last)
        self._gradient_at_x = _ByWidth(of_client.gradient_at_x, compiled, not channels_last)

    def compute(
        self, asked: Assignment, memories: Mapping[int, Tree], sums: Sums
    ) -> dict[int, Tree]:
        """Add clients to sums, and return what each of them keeps.

        Args:
            asked: what is asked of the cohort, with x laid out as `layout` does.
            memories: what the clients of this portion keep, by their places in the cohort.
            sums: those of the portion, changed in place.
        """
        x, shared, plan = asked.x, asked.shared, asked.plan
        rate = torch.tensor(asked.rate, dtype=self._dtype, device=self._device)
        kept, y = {}, trees.map_tree(torch.empty_like, x)
        for k, memory in memories.items():
            for name, leaf in x.items():
                y[name].copy_(leaf)
            key = torch.tensor(plan.keys_K[k], dtype=torch.int32, device=self._device)
            # Memory of its own: what `begin` returns may be a part of x, and steps change it in
            # place.
            local = trees.map_tree(torch.clone, self._client.begin(x, shared, memory))
            fixed = (x, y, local, shared, memory, sums.tally, *self._rows, rate)
            whole, short = self._step.whole.bound(*fixed), self._step.short.bound(*fixed)
            for s in range(plan.steps_K[k]):
                rows_B = _rows(plan.rows_KSB[k, s], self._device)
                advance = whole if len(rows_B) == plan.rows_KSB.shape[-1] else short
                advance(rows_B, rng.step_key(key, s))
            at_x: Tree = {}
            if self._client.wants_grad_at_x:
                rows_M = _rows(plan.all_rows_KM[k], self._device)
                at = self._gradient_at_x.of(rows_M, plan.all_rows_KM.shape[-1])
                (at_x,) = at(x, *self._rows, rows_M, rng.step_key(key, -1))
            numbers = plan.steps_K[k], plan.weights_K[k]
            steps, weight = torch.tensor(numbers, dtype=self._dtype, device=self._device)
            (kept[k],) = self._end(x, y, at_x, shared, memory, *sums, rate, steps, weight)
        return kept

    def prepare(self, asked: Assignment, sums: Sums) -> None:
        """Record and compile what rounds replay, for the shapes of a plan.

        Args:
            asked: what is asked of a cohort, with x laid out as `layout` does.
            sums: those of a watched round.
        """
        x, shared, memory, plan = asked.x, asked.shared, asked.memories[0], asked.plan
        y = trees.map_tree(torch.empty_like, x)
        local = trees.map_tree(torch.clone, self._client.begin(x, shared, memory))
        key = torch.zeros((), dtype=torch.int32, device=self._device)
        rate, steps, weight = torch.zeros(3, dtype=self._dtype, device=self._device)
        for rows_B in _widths(plan.rows_KSB, self._device):
            step = self._step.of(rows_B, plan.rows_KSB.shape[-1])
            step.prepare(x, y, local, shared, memory, sums.tally, *self._rows, rate, rows_B, key)
        at_x: Tree = {}
        if self._client.wants_grad_at_x:
            at_x = trees.map_tree(torch.empty_like, x)
            for rows_M in _widths(plan.all_rows_KM, self._device):
                at = self._gradient_at_x.of(rows_M, plan.all_rows_KM.shape[-1])
                at.prepare(x, *self._rows, rows_M, key)
        for watched in (True, False):
            of_round = sums.with_alignment_if(watched)
            self._end.prepare(x, y, at_x, shared, memory, *of_round, rate, steps, weight)


class _ByWidth:
    """A function of a batch, compiled for `whole` ones; the `short` ones are as few as their rows,
    and recorded.
    """

    def __init__(
        self, function: Callable[..., tuple[Value, ...]], compiled: bool, as_written: bool
    ) -> None:
        self.whole = self.short = Traced(function, compiled, as_written)
        if compiled:
            self.short = Traced(function, as_written=as_written)

    def of(self, rows: Tensor, width: int) -> Traced:
        """The function for a batch where whole ones have this width."""
        return self.whole if len(rows) == width else self.short


def portions(plan: RoundPlan) -> list[list[int]]:
    """Deal out the places of the reporting clients like cards, those with most steps first."""
    heaviest_first = sorted(plan.reporting_clients, key=lambda k: -int(plan.steps_K[k]))
    return [heaviest_first[first::PORTIONS] for first in range(min(PORTIONS, len(heaviest_first)))]


def _widths(padded: Ints, device: torch.device) -> list[Tensor]:
    """Return one batch of each width that `_rows` gives."""
    flat = padded.reshape(-1, padded.shape[-1])
    _, first = np.unique((flat != PAD).sum(-1), return_index=True)
    by_width: dict[int, Tensor] = {}
    for i in first:
        if flat[i, 0] != PAD:
            batch = _rows(flat[i], device)
            by_width[len(batch)] = batch
    return list(by_width.values())


def _rows(padded: Ints, device: torch.device) -> Tensor:
    """Return the rows of a batch without most of the padding after them: few widths, so few
    recordings.
    """
    width = len(padded)
    real = int((padded != PAD).sum())
    while -(-width // 2) >= real and width > 1:
        width = -(-width // 2)
    return torch.as_tensor(padded[:width], device=device)
