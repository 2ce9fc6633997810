"""What cannot be recorded goes on by the loop, which runs a network as it is written, and the cohort says why.

It is decided anew for every cohort, so that what comes of a round does not depend on the rounds before it: a run that
is interrupted and resumed ends in the same bits.
"""

from collections.abc import Sequence
from dataclasses import replace

from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import EXECUTORS, Cohort, Executor, Part, Together
from headstart.engine.executors.loop import loop
from headstart.engine.plan import RoundPlan
from headstart.kernels.recorded import RecordingError
from headstart.models.network import Network
from headstart.parts.registry import Component
from headstart.tasks.base import Task
from headstart.trees import Tree


def executor_or_loop(executor: Component, network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """The executor of that name, with the loop in its place for cohorts that it cannot record."""
    execute = EXECUTORS.build(executor, network, task, client)
    by_loop = loop(network, task, client)

    def several(parts: Sequence[Part | None], watched: bool) -> list[Cohort | None]:
        assert isinstance(execute, Together)
        try:
            return execute.several(parts, watched)
        except RecordingError as error:
            why = str(error)
            return [part and replace(by_loop(*part, watched), fallback=why) for part in parts]

    one = first_to_record(execute, by_loop, says_so=True)
    return Together(one, several, execute.most) if isinstance(execute, Together) else one


def first_to_record(first: Executor, other: Executor, says_so: bool = False) -> Executor:
    """The first executor, and for cohorts that it cannot record the other, whose cohorts may say so."""

    def execute(
        x: Tree,
        shared: Tree,
        memories: Sequence[Tree],
        rate: float,
        plan: RoundPlan,
        watched: bool = True,
    ) -> Cohort:
        try:
            return first(x, shared, memories, rate, plan, watched)
        except RecordingError as error:
            cohort = other(x, shared, memories, rate, plan, watched)
            return replace(cohort, fallback=str(error)) if says_so else cohort

    return execute
