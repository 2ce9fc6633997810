"""What the clients of a cohort add up to, for executors that take them up portion by portion."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from headstart import trees
from headstart.clients.base import ClientOptimizer, Upload
from headstart.engine.executors.base import Alignment, Assignment, Cohort
from headstart.trees import Tree

_TREES = ("update", "message", "total", "unit_total")


class Sums(NamedTuple):
    """Sums over clients, with D_i = x - y_i.

    update: sum p_i update_i. message: sum p_i message_i.
    tally [2]: the sum of the losses of all steps, and the count of what they predict.
    squared_norms: sum |D_i|^2. total: sum D_i. unit_total: sum D_i / |D_i|; all three only where a
    probe watches.
    """

    update: Tree
    message: Tree
    tally: Tensor
    squared_norms: Tensor
    total: Tree
    unit_total: Tree

    @property
    def leaves(self) -> list[Tensor]:
        """All tensors."""
        leaves = [self.tally, self.squared_norms]
        for name in _TREES:
            leaves.extend(getattr(self, name).values())
        return leaves

    def add(self, more: "Sums") -> None:
        """Add the sums of other clients, in place."""
        for leaf, other in zip(self.leaves, more.leaves, strict=True):
            leaf.add_(other)

    def zeros(self) -> "Sums":
        """Zeros of the same forms."""
        trees_of = {name: trees.zeros_like(getattr(self, name)) for name in _TREES}
        tally, squared_norms = torch.zeros_like(self.tally), torch.zeros_like(self.squared_norms)
        return Sums(tally=tally, squared_norms=squared_norms, **trees_of)

    def clear(self) -> None:
        """Make them the sums over no clients, in place."""
        for leaf in self.leaves:
            leaf.zero_()

    def take_up(self, upload: Upload, delta: Tree, weight: Tensor) -> None:
        """Add one client, in place.

        Args:
            upload: what it sends.
            delta: D_i.
            weight: p_i, a scalar.
        """
        _accumulate(self.update, upload.update, weight)
        _accumulate(self.message, upload.message, weight)
        if self.total:
            squared = trees.dot(delta, delta)
            self.squared_norms.add_(squared)
            _accumulate(self.total, delta)
            _accumulate(self.unit_total, delta, to_unit_length(squared.sqrt()))

    def with_alignment_if(self, watched: bool) -> "Sums":
        """The same sums; those that only probes ask for are kept if one watches."""
        return self if watched else self._replace(total={}, unit_total={})

    def cohort(self, memories: Sequence[Tree], asked: Assignment) -> Cohort:
        """The sums over all clients that report, as what an executor answers."""
        alignment = None
        if asked.watched:
            alignment = Alignment(
                self.squared_norms,
                trees.dot(self.total, self.total),
                trees.dot(self.unit_total, self.unit_total),
                asked.plan.reporting,
            )
        losses, counts = self.tally
        return Cohort(
            self.update, self.message, list(memories), losses / counts.clamp(min=1), alignment
        )


def to_unit_length(length: Tensor) -> Tensor:
    """Return the factor that gives D_i length 1; it is finite for a client that stayed at x."""
    return 1 / length.clamp(min=torch.finfo(length.dtype).tiny)


def empty(client: ClientOptimizer, asked: Assignment) -> Sums:
    """Return the sums over no clients, with what probes ask for."""
    x, some = asked.x, next(iter(asked.x.values()))
    upload = upload_of(client, x, asked.shared, asked.memories[0])

    def zeros(leaf: Tensor) -> Tensor:
        return torch.zeros_like(leaf, device=some.device)

    return Sums(
        update=trees.map_tree(zeros, upload.update),
        message=trees.map_tree(zeros, upload.message),
        tally=some.new_zeros(2),
        squared_norms=some.new_zeros(()),
        total=trees.zeros_like(x),
        unit_total=trees.zeros_like(x),
    )


def upload_of(client: ClientOptimizer, x: Tree, shared: Tree, memory: Tree) -> Upload:
    """Return what a client uploads, without its numbers: on the device `meta`."""
    x, shared, memory = (trees.to(tree, torch.device("meta")) for tree in (x, shared, memory))
    return client.finish(x, x, 1, 1.0, x if client.wants_grad_at_x else {}, shared, memory)


def _accumulate(sums: Tree, tree: Tree, factor: Tensor | None = None) -> None:
    for name, leaf in tree.items():
        sums[name].add_(leaf if factor is None else factor * leaf)
