"""What cannot be recorded goes on by the loop, which runs a network as it is written, and the
cohort says why.

It is decided anew for every cohort, so that what comes of a round does not depend on the rounds
before it: a run that is interrupted and resumed ends in the same bits.
"""

from collections.abc import Mapping
from dataclasses import replace

from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import Assignment, Cohort, Compute, Executor
from headstart.engine.executors.loop import by_loop
from headstart.kernels.recorded import RecordingError
from headstart.models.network import Network
from headstart.tasks.base import Task


def or_by_loop(
    executor: Executor, network: Network, task: Task, client: ClientOptimizer
) -> Compute:
    """Compute with an executor, and with the loop what that cannot record; the cohorts say so."""
    first = executor.compute_for(network, task, client)
    if not executor.uses_recordings:
        return first
    loop = by_loop(network, task, client)

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        try:
            return first(assignments, places)
        except RecordingError as error:
            cohorts = loop(assignments, places)
            why = str(error)
        return {place: replace(cohort, fallback=why) for place, cohort in cohorts.items()}

    return compute


def first_to_record(first: Compute, other: Compute) -> Compute:
    """Compute with the first, and with the other what the first cannot record."""

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        try:
            return first(assignments, places)
        except RecordingError:
            return other(assignments, places)

    return compute
