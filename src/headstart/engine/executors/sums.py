"""What the clients of a cohort add up to, for executors that take them up group by group."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from headstart import trees
from headstart.engine.executors.base import Alignment, Cohort
from headstart.engine.plan import RoundPlan
from headstart.trees import Tree


class Sums(NamedTuple):
    """Over clients with D_i = x - y_i: sum p_i update_i, sum p_i message_i, sum |D_i|^2, sum D_i, sum D_i / |D_i|.

    The last three only where a probe watches. `seen` [2]: the sum of the losses of all steps, and the count of what
    they predict.
    """

    update: Tree
    message: Tree
    seen: Tensor
    squared_norms: Tensor
    total: Tree
    unit_total: Tree


def add(sums: Sums, more: Sums) -> None:
    """Add the sums of other clients, in place."""
    for leaf, other in zip(_leaves(sums), _leaves(more), strict=True):
        leaf.add_(other)


def clear(sums: Sums) -> None:
    """Make them those over no clients, in place."""
    for leaf in _leaves(sums):
        leaf.zero_()


def cohort(sums: Sums, memories: Sequence[Tree], plan: RoundPlan, watched: bool) -> Cohort:
    """The sums over all clients that report, as what an executor returns."""
    alignment = None
    if watched:
        total, unit_total = trees.dot(sums.total, sums.total), trees.dot(sums.unit_total, sums.unit_total)
        alignment = Alignment(sums.squared_norms, total, unit_total, plan.reporting)
    losses, counts = sums.seen
    return Cohort(sums.update, sums.message, list(memories), losses / counts.clamp(min=1), alignment)


def _leaves(sums: Sums) -> list[Tensor]:
    trees_ = (sums.update, sums.message, sums.total, sums.unit_total)
    return [leaf for tree in trees_ for leaf in tree.values()] + [sums.seen, sums.squared_norms]
