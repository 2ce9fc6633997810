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
from headstart.registry import Component
from headstart.tasks.base import Task
from headstart.trees import Tree


def executor_or_loop(executor: Component, network: Network, task: Task, client: ClientOptimizer) -> Executor:
    """The executor of that name, with the loop in its place for cohorts that it cannot record."""
    execute = EXECUTORS.build(executor, network, task, client)
    by_loop = loop(network, task, client)

    def one(
        x: Tree,
        shared: Tree,
        memories: Sequence[Tree],
        rate: float,
        plan: RoundPlan,
        watched: bool = True,
    ) -> Cohort:
        try:
            return execute(x, shared, memories, rate, plan, watched)
        except RecordingError as error:
            cohort = by_loop(x, shared, memories, rate, plan, watched)
            return replace(cohort, fallback=str(error))

    def several(parts: Sequence[Part | None], watched: bool) -> list[Cohort | None]:
        assert isinstance(execute, Together)
        try:
            return execute.several(parts, watched)
        except RecordingError as error:
            return [part and replace(by_loop(*part, watched), fallback=str(error)) for part in parts]

    return Together(one, several, execute.most) if isinstance(execute, Together) else one
