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
    for tree, other in (
        (sums.update, more.update),
        (sums.message, more.message),
        (sums.total, more.total),
        (sums.unit_total, more.unit_total),
    ):
        for name, leaf in tree.items():
            leaf.add_(other[name])
    sums.seen.add_(more.seen)
    sums.squared_norms.add_(more.squared_norms)


def cohort(sums: Sums, memories: Sequence[Tree], plan: RoundPlan, watched: bool) -> Cohort:
    """The sums over all clients that report, as what an executor returns."""
    alignment = None
    if watched:
        total, unit_total = trees.dot(sums.total, sums.total), trees.dot(sums.unit_total, sums.unit_total)
        alignment = Alignment(sums.squared_norms, total, unit_total, plan.reporting)
    losses, counts = sums.seen
    return Cohort(sums.update, sums.message, list(memories), losses / counts.clamp(min=1), alignment)
