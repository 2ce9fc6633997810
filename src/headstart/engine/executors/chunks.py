"""The plans of several runs as one, and of a part of their clients, in the shapes of one tensor
program.

Shape suffixes: R runs, K clients of the cohort or chunk, S local steps, B rows of a batch, M rows
of a client.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from headstart.engine.devices import Ints
from headstart.engine.plan import PAD, RoundPlan

OF_CLIENTS = ("clients_K", "rows_KSB", "steps_K", "weights_K", "keys_K", "all_rows_KM")
"""The fields of a plan that have an axis of clients."""


def of_runs(plans: Sequence[RoundPlan]) -> RoundPlan:
    """Return one plan with an axis of runs before the others; all have the steps of the longest.

    A single plan is returned unchanged.
    """
    if len(plans) == 1:
        return plans[0]
    S = max(plan.rows_KSB.shape[1] for plan in plans)
    longest = []
    for plan in plans:
        K, steps, B = plan.rows_KSB.shape
        rows_KSB = np.concatenate([plan.rows_KSB, np.full((K, S - steps, B), PAD)], axis=1)
        longest.append(replace(plan, rows_KSB=rows_KSB))
    stacks = {}
    for name in OF_CLIENTS:
        stacks[name] = np.stack([getattr(plan, name) for plan in longest])
    return replace(plans[0], **stacks)  # type: ignore[arg-type]


def chunks(plan: RoundPlan, size: int) -> Iterator[tuple[Ints, RoundPlan]]:
    """Yield places in the cohort, and the plan of only these: chunks of one size, of `size` clients
    at most.

    What has an axis of runs is whole. Clients with most steps come first, so that
    those of a chunk do about as many. What a chunk lacks is filled with clients of no steps and no
    weight.
    """
    K = plan.clients_K.shape[-1]
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
        part = {name: getattr(plan, name)[filled] for name in OF_CLIENTS}
        part["steps_K"] = np.where(real, part["steps_K"], 0)
        part["weights_K"] = np.where(real, part["weights_K"], 0.0)
        if part["steps_K"].any():
            yield filled, replace(plan, **part)


def idle(plan: RoundPlan) -> RoundPlan:
    """Return a plan of the same shapes with clients that do nothing."""
    nobody_K = np.zeros_like(plan.steps_K)
    nothing_KSB = np.full_like(plan.rows_KSB, PAD)
    return replace(
        plan, rows_KSB=nothing_KSB, steps_K=nobody_K, weights_K=np.zeros_like(plan.weights_K)
    )
