"""The fastest executor for a network, a task and a client optimizer, found by timing real steps on
this machine.

Or a likely one, found without timing.

Made twice it may choose differently, and its results then agree to rounding, not to the bit. A
study therefore keeps the first choice (`headstart.study.executor_choice`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from headstart.child_processes import cannot_fork
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Assignment, Cohort, Compute, Executor
from headstart.engine.executors.program import masked_gradient
from headstart.errors import reason
from headstart.kernels.recorded import RecordingError, Traced
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task
from headstart.trees import Tree

TIMED_STEPS = 2
REPETITIONS = 3

LONG = 300.0
"""Seconds of rounds from which on a compiled executor is tried at all; compiling takes some tens of
seconds.
"""

PAID_BACK_WITHIN = 50
"""Rounds in which a compiled executor must save what compiling took, or it is not chosen."""

RUNS_AT_ONCE = 6
"""Of a study, at most: more were slower (docs/performance.md)."""

WITHIN_REACH = 3.0
"""Times the fastest executor that `stacked` may take for several runs at once to be tried: they
halve its time.
"""

LARGE = 8e6
"""Floating-point operations of a mean product of a step, times the cores, from which on clients go
over threads.

Measured on one core of an Intel Xeon, seconds of `stacked` over those of `threads`: .07 at 0.04e6
(digits-mlp), .3 at 1.3e6 (the CNN on digits), .5 at 1.3e6 (mlp of 200), .9 at 7e6 (mlp of 512), 1.3
to 1.8 from 28e6 on (cifar-cnn, femnist-cnn, ResNet-18). More cores share the clients of a cohort
better than the products of one.
"""


class Timing(NamedTuple):
    """Of a round, from its first steps; and until the first round could begin, where the executor
    compiles.
    """

    seconds_per_round: float
    seconds_to_compile: float = 0.0


@EXECUTORS.register(
    "auto", source="ours; the timing of the candidates is in a study's executors.json"
)
def auto() -> Executor:
    """Whichever of loop, stacked, threads and processes does the first steps of the first cohort
    fastest.
    """
    return Executor(_fastest_of_all, uses_recordings=True)


def _fastest_of_all(network: Network, task: Task, client: ClientOptimizer) -> Compute:
    chosen: list[Compute] = []

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        if not chosen:
            asked = next(iter(assignments.values()))
            timings, _ = time_candidates(network, task, client, asked)
            chosen.append(_built(fastest(timings)).compute_for(network, task, client))
        return chosen[0](assignments, places)

    return compute


def by_operations(network: Network, task: Task, batch: int, cores: int) -> str:
    """`threads` where the products of a client's step are large, else `stacked`: a function of the
    step and the cores, so that a run made twice on one machine has the same bits.
    """
    gradient = masked_gradient(network, task)

    def step(x: Tree, inputs: Tensor, targets: Tensor, rows_B: Tensor, key: Tensor) -> tuple[Tree]:
        return (gradient(x, inputs, targets, rows_B, key)[0],)

    rows_B = torch.zeros(batch, dtype=torch.int64, device=network.device)
    key = torch.zeros((), dtype=torch.int32, device=network.device)
    some = Examples(task.train.inputs[:1], task.train.targets[:1]).to(network.device)
    try:
        flops = Traced(step, as_written=True).flops(
            network.initial(0), some.inputs, some.targets, rows_B, key
        )
    except RecordingError:
        return "stacked"
    return "threads" if flops and cores * sum(flops) / len(flops) > LARGE else "stacked"


def fastest(timings: Mapping[str, Timing]) -> str:
    """The executor with the shortest round, compiled ones only where that pays within
    `PAID_BACK_WITHIN` rounds.

    >>> timings = {"loop": Timing(3.0), "stacked": Timing(2.0)}
    >>> fastest({**timings, "stacked(compiled=True)": Timing(1.0, 60.0)})
    'stacked'
    >>> fastest({**timings, "stacked(compiled=True)": Timing(1.0, 40.0)})
    'stacked(compiled=True)'
    """
    at_once = min(
        timing.seconds_per_round for timing in timings.values() if not timing.seconds_to_compile
    )
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
    asked: Assignment,
    rounds: int = 0,
    runs: int = 1,
) -> tuple[dict[str, Timing], dict[str, str]]:
    """Return what a round takes with each candidate, and why others are left out, which this
    network cannot use.

    It is taken from the first steps of a cohort, the best of a few; recording is not counted. The
    loop is always among them. The compiled form of the fastest is a candidate where `rounds` of
    that fastest take longer than `LONG`. Where torch is held to one thread, as in the processes of
    a study, `threads` is held to one worker, and `processes` left out.

    Args:
        network: the model as a function of its parameters.
        task: the task, on the network's device.
        client: the client optimizer.
        asked: what a run asks in its first round.
        rounds: the rounds of all runs that will use the choice.
        runs: how many runs can be computed at once; where several, `stacked` is also timed with
            them, and a round is the share of one.
    """
    trials = _Trials(network, task, client, asked)
    workers = {"workers": 1} if torch.get_num_threads() == 1 else {}
    layouts: list[dict[str, Any]] = [{}]
    if any(leaf.ndim == 4 for leaf in asked.x.values()):
        layouts.append({"channels_last": False})
    candidates = [Candidate("loop", {}), Candidate("stacked", {})]
    candidates += [Candidate("threads", {**workers, **layout}) for layout in layouts]
    if not workers and not cannot_fork(str(network.device)):
        candidates += [Candidate("processes", layout) for layout in layouts]
    for candidate in candidates:
        trials.try_out(candidate)
    best = trials.best()
    stacked = trials.timings.get("stacked")
    if runs > 1 and stacked and stacked[0] <= WITHIN_REACH * trials.timings[str(best)][0]:
        trials.try_out(Candidate("stacked", {"runs": runs}))
        best = trials.best()
    if best.name != "loop" and rounds * trials.timings[str(best)].seconds_per_round >= LONG:
        trials.try_out(Candidate(best.name, {**best.arguments, "compiled": True}))
    return trials.timings, trials.left_out


class Candidate(NamedTuple):
    """An executor by its registered name, with those of its arguments that are no defaults."""

    name: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name}({arguments})" if arguments else self.name


class _Trials:
    """What candidates took for the first steps of a cohort."""

    def __init__(
        self, network: Network, task: Task, client: ClientOptimizer, asked: Assignment
    ) -> None:
        self._of, self._network = (network, task, client), network
        plan = asked.plan
        self._most = int(plan.steps_K.max())
        steps = replace(
            plan,
            steps_K=np.minimum(plan.steps_K, TIMED_STEPS),
            rows_KSB=np.ascontiguousarray(plan.rows_KSB[:, :TIMED_STEPS]),
        )
        self._asked = asked._replace(plan=steps, watched=False)
        self._tried: dict[str, Candidate] = {}
        self.timings: dict[str, Timing] = {}
        self.left_out: dict[str, str] = {}

    def best(self) -> Candidate:
        """Return the fastest so far."""
        return self._tried[fastest(self.timings)]

    def try_out(self, candidate: Candidate) -> None:
        """Time a candidate, or note why it is left out."""
        name = str(candidate)
        self._tried[name] = candidate
        executor = _built(name)
        try:
            self.timings[name] = self._timed(executor)
        except Exception as error:  # whatever a network may raise; no compiler, or one that refuses
            if not executor.uses_recordings:
                raise
            self.left_out[name] = reason(error)

    def _timed(self, executor: Executor) -> Timing:
        compute = executor.compute_for(*self._of)
        assignments = dict.fromkeys(range(executor.runs), self._asked)
        seconds = [
            self._seconds(lambda: compute(assignments, executor.runs))
            for _ in range(REPETITIONS + 1)
        ]
        first, least = seconds[0], min(seconds[1:])
        per_round = least * self._most / min(self._most, TIMED_STEPS) / executor.runs
        return Timing(per_round, max(first - least, 0.0) if executor.compiled else 0.0)

    def _seconds(self, function: Callable[[], object]) -> float:
        self._network.wait()
        began = time.perf_counter()
        function()
        self._network.wait()
        return time.perf_counter() - began


def _built(name: str) -> Executor:
    return EXECUTORS.build(EXECUTORS.component(name))
