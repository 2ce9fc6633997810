"""Plans of parts of a cohort, and of several runs, in the shapes of one tensor program.

Shape suffixes: K clients of the cohort or chunk, S local steps, B rows of a batch, M rows of a client.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from headstart.engine.devices import Ints
from headstart.engine.plan import PAD, RoundPlan


def chunks(plan: RoundPlan, size: int) -> Iterator[tuple[Ints, RoundPlan]]:
    """Places in the cohort, and the plan of only these: chunks of one size, of `size` clients at most.

    Clients with most steps come first, so that those of a chunk do about as many. What a chunk lacks is filled with
    clients of no steps and no weight.
    """
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


def of_runs(plans: Sequence[RoundPlan]) -> RoundPlan:
    """One with an axis of runs before the others; all have the steps of the longest."""
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


def idle(plan: RoundPlan) -> RoundPlan:
    """The same shapes with clients that do nothing."""
    nobody_K = np.zeros_like(plan.steps_K)
    return replace(
        plan, rows_KSB=np.full_like(plan.rows_KSB, PAD), steps_K=nobody_K, weights_K=np.zeros_like(plan.weights_K)
    )
