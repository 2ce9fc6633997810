"""The partitions of a study, each for its first seed, or one of a task, measured."""

from collections.abc import Iterator

from headstart import rng
from headstart.parts.registry import Component
from headstart.study.data import task_of
from headstart.study.federations import clients_of
from headstart.study.spec import Study
from headstart.tasks.base import PARTITIONS, TASKS
from headstart.tools.inspection import Inspection, inspect


def inspect_study(study: Study) -> Iterator[Inspection]:
    """Every partition that the study's runs name, as the first of its seeds deals it."""
    seed = study.grid[0].seed
    for partition in dict.fromkeys(run.partition for run in study.grid):
        yield inspect_partition(study.task, partition, study.population, seed)


def inspect_named(
    task: str, partition: str, population: int | None = None, seed: int = 0
) -> Inspection:
    """A partition of a task, both as a study file writes them; its population is by default as in
    one.

    Raises:
        HeadstartError: an unknown name, or rows that cannot be dealt so.
    """
    chosen, dealt = TASKS.component(task, "--task"), PARTITIONS.component(partition, "--partition")
    if population is None:
        population = len(task_of(chosen).natural_clients) if dealt.name == "natural" else 100
    return inspect_partition(chosen, dealt, population, seed)


def inspect_partition(
    task: Component, partition: Component, population: int, seed: int
) -> Inspection:
    """Measure a partition of a task."""
    built, clients = task_of(task), clients_of(task, partition, population, seed)
    targets = built.train.targets
    labels = None if targets.ndim != 1 or targets.is_floating_point() else targets.numpy()
    name = f"{task.name}, {partition}"
    names = built.classes or tuple(map(str, range(built.outputs)))
    return inspect(
        name,
        clients.sizes_N,
        clients.rows,
        labels,
        names,
        rng.generator(seed, "inspection"),
        built.notes,
    )
