"""The fastest executor for a network, a task and a client optimizer, found by timing real steps on this machine; or a
likely one, found without timing.

Made twice it may choose differently, and its results then agree to rounding, not to the bit. A study therefore keeps
the first choice (`headstart.study.choice`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor, Part, Together
from headstart.engine.executors.processes import cannot_fork
from headstart.engine.executors.program import masked_gradient
from headstart.engine.plan import RoundPlan
from headstart.kernels.recorded import RecordingError, Traced
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task
from headstart.trees import Tree

TIMED_STEPS = 2
REPETITIONS = 3

LONG = 300.0
"""Seconds of rounds from which on a compiled executor is tried at all; compiling takes some tens of seconds."""

PAID_BACK_WITHIN = 50
"""Rounds in which a compiled executor must save what compiling took, or it is not chosen."""

RUNS_AT_ONCE = 6
"""Of a study, at most: more were slower (docs/performance.md)."""

WITHIN_REACH = 3.0
"""Times the fastest executor that `stacked` may take for several runs at once to be tried: they halve its time."""


LARGE = 8e6
"""Floating-point operations of a mean product of a step, times the cores, from which on clients go over threads.

Measured on one core of an Intel Xeon, seconds of `stacked` over those of `threads`: .07 at 0.04e6 (digits-mlp), .3 at
1.3e6 (the CNN on digits), .5 at 1.3e6 (mlp of 200), .9 at 7e6 (mlp of 512), 1.3 to 1.8 from 28e6 on (cifar-cnn,
femnist-cnn, ResNet-18). More cores share the clients of a cohort better than the products of one.
"""


class Timing(NamedTuple):
    """Of a round, from its first steps; and until the first round could begin, where the executor compiles."""

    seconds_per_round: float
    seconds_to_compile: float = 0.0


@EXECUTORS.register("auto", source="ours; the timing of the candidates is in a study's executors.json")
def auto(network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """Whichever of loop, stacked, threads and processes does the first steps of the first cohort fastest."""
    chosen: list[Executor] = []

    def execute(
        x: Tree, shared: Tree, memories: Sequence[Tree], rate: float, plan: RoundPlan, watched: bool = True
    ) -> Cohort:
        if not chosen:
            timings, _ = time_candidates(network, task, client, x, shared, memories, rate, plan)
            chosen.append(_build(fastest(timings), network, task, client))
        return chosen[0](x, shared, memories, rate, plan, watched)

    return execute


def by_operations(network: Network, task: Task, batch: int, cores: int) -> str:
    """`threads` where the products of a client's step are large, else `stacked`: a function of the step and the cores,
    so that a run made twice on one machine has the same bits.
    """
    gradient = masked_gradient(network, task)

    def step(x: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_B, key)[0],)

    rows_B = torch.zeros(batch, dtype=torch.int64, device=network.device)
    key = torch.zeros((), dtype=torch.int32, device=network.device)
    some = Examples(task.train.inputs[:1], task.train.targets[:1]).to(network.device)
    try:
        flops = Traced(step, as_written=True).flops(network.initial(0), some.inputs, some.targets, rows_B, key)
    except RecordingError:
        return "stacked"
    return "threads" if flops and cores * sum(flops) / len(flops) > LARGE else "stacked"


def fastest(timings: Mapping[str, Timing]) -> str:
    """The executor with the shortest round, compiled ones only where that pays within `PAID_BACK_WITHIN` rounds.

    >>> fastest({"loop": Timing(3.0), "stacked": Timing(2.0), "stacked(compiled=True)": Timing(1.0, 60.0)})
    'stacked'
    >>> fastest({"loop": Timing(3.0), "stacked": Timing(2.0), "stacked(compiled=True)": Timing(1.0, 40.0)})
    'stacked(compiled=True)'
    """
    at_once = min(timing.seconds_per_round for timing in timings.values() if not timing.seconds_to_compile)
    paying = [
        name
        for name, (seconds, compiling) in timings.items()
        if PAID_BACK_WITHIN * max(at_once - seconds, 0.0) >= compiling
    ]
    return min(paying, key=lambda name: timings[name].seconds_per_round)


def time_candidates(
    network: Network,
    task: Task,
    client: ClientOptimizer,
    x: Tree,
    shared: Tree,
    memories: Sequence[Tree],
    rate: float,
    plan: RoundPlan,
    rounds: int = 0,
    runs: int = 1,
) -> tuple[dict[str, Timing], dict[str, str]]:
    """What a round takes with each candidate, from the first steps of a cohort, the best of a few; recording is not
    counted. And why others are left out, which this network cannot be computed with; the loop never is.

    The compiled form of the fastest is a candidate where `rounds` of that fastest take longer than `LONG`. Where torch
    is held to one thread, as in the processes of a study, `threads` is held to one worker, and `processes` left out.
    Where so many `runs` can be computed at once, `stacked` is also timed with them, and a round is the share of one.
    """
    most = int(plan.steps_K.max())
    steps = replace(
        plan,
        steps_K=np.minimum(plan.steps_K, TIMED_STEPS),
        rows_KSB=np.ascontiguousarray(plan.rows_KSB[:, :TIMED_STEPS]),
    )

    def timed(name: str) -> Timing:
        execute = _build(name, network, task, client)
        part = Part(x, shared, memories, rate, steps)
        at_once = execute.most if isinstance(execute, Together) else 1

        def begin_of_round() -> None:
            if isinstance(execute, Together):
                execute.several([part] * at_once, False)
            else:
                execute(*part, watched=False)

        first, *others = (_seconds(begin_of_round, network) for _ in range(REPETITIONS + 1))
        per_round = min(others) * most / min(most, TIMED_STEPS) / at_once
        return Timing(per_round, max(first - min(others), 0.0) if "compiled" in name else 0.0)

    def try_(name: str) -> None:
        try:
            timings[name] = timed(name)
        except Exception as error:  # whatever recording somebody's network may raise; no compiler, or one that refuses
            if name == "loop":
                raise
            left_out[name] = next(iter(str(error).splitlines()), "") or type(error).__name__

    workers = ["workers=1"] if torch.get_num_threads() == 1 else []
    layouts = [[], ["channels_last=False"]] if any(leaf.ndim == 4 for leaf in x.values()) else [[]]
    arguments: dict[str, list[str]] = {"loop": [], "stacked": []}
    arguments |= {_named("threads", [*workers, *layout]): [*workers, *layout] for layout in layouts}
    if not workers and not cannot_fork(network.device):
        arguments |= {_named("processes", layout): layout for layout in layouts}
    timings: dict[str, Timing] = {}
    left_out: dict[str, str] = {}
    for name in arguments:
        try_(name)
    best = fastest(timings)
    near = "stacked" in timings and timings["stacked"][0] <= WITHIN_REACH * timings[best][0]
    if runs > 1 and near:
        arguments[name := f"stacked(runs={runs})"] = [f"runs={runs}"]
        try_(name)
        best = fastest(timings)
    if best != "loop" and rounds * timings[best].seconds_per_round >= LONG:
        name = _named(best.partition("(")[0], [*arguments[best], "compiled=True"])
        try_(name)
    return timings, left_out


def _seconds(function: Callable[[], object], network: Network) -> float:
    network.wait()
    began = time.perf_counter()
    function()
    network.wait()
    return time.perf_counter() - began


def _named(name: str, arguments: list[str]) -> str:
    return f"{name}({', '.join(arguments)})" if arguments else name


def _build(name: str, network: Network, task: Task, client: ClientOptimizer) -> Executor:
    return EXECUTORS.build(EXECUTORS.component(name), network, task, client)
