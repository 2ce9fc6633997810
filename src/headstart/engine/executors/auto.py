"""The fastest executor for a network, a task and a client optimizer, found by timing real steps on this machine.

Made twice it may choose differently, and its results then agree to rounding, not to the bit. A study therefore keeps
the first choice (`headstart.study.choice`).
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor
from headstart.engine.plan import RoundPlan
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree

TIMED_STEPS = 2
REPETITIONS = 3


@EXECUTORS.register("auto", source="ours; the timing of the candidates is in a study's executors.json")
def auto(network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """Whichever of loop, stacked and threads does the first steps of the first cohort fastest."""
    chosen: list[Executor] = []

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        if not chosen:
            timings = time_candidates(network, task, client, x, shared, memories, rate, plan)
            chosen.append(_build(min(timings, key=timings.__getitem__), network, task, client))
        return chosen[0](x, shared, memories, rate, plan, watched)

    return execute


def time_candidates(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    x: Tree,
    shared: Tree,
    memories: Sequence[Tree],
    rate: float,
    plan: RoundPlan,
) -> dict[str, float]:
    """Seconds that each candidate takes for the first steps of a cohort, the best of a few; tracing is not counted.

    Where torch is held to one thread, as in the processes of a study, `threads` is held to one worker.
    """
    steps = replace(
        plan,
        steps_K=np.minimum(plan.steps_K, TIMED_STEPS),
        rows_KSB=np.ascontiguousarray(plan.rows_KSB[:, :TIMED_STEPS]),
    )
    one = torch.get_num_threads() == 1
    seconds = {}
    for name in ("loop", "stacked", "threads(workers=1)" if one else "threads"):
        execute, best = _build(name, network, task, client), float("inf")
        for repetition in range(REPETITIONS + 1):
            began = time.perf_counter()
            execute(x, shared, memories, rate, steps, watched=False)
            best = min(best, time.perf_counter() - began) if repetition else best
        seconds[name] = best
    return seconds


def _build(name: str, network: Network, task: Task, client: ClientOptimizer) -> Executor:
    return EXECUTORS.build(EXECUTORS.component(name), network, task, client)
