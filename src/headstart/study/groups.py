"""Which runs of a study are computed at once: those that differ only in where they begin, rates,
server and seed.

Their clients then take steps of the same shapes. The bits of a run may depend on how many runs its
group has and on its place among them, so groups are a function of the study alone: neither of what
is done already nor of the processes.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from headstart.engine.executors.base import EXECUTORS
from headstart.parts.registry import Component
from headstart.study.federations import holds
from headstart.study.file.run_spec import RunSpec

DIFFER = {"start", "server", "client_rate", "server_rate", "seed"}
"""Not the partition: where one deals larger clients than another, all would be padded to the
largest.
"""

Group = tuple[RunSpec, ...]


def at_once(executor: Component) -> int:
    """The most runs that an executor computes at once."""
    return EXECUTORS.build(executor).runs


def groups_of(
    runs: Sequence[RunSpec], most: Callable[[RunSpec], int] = lambda run: at_once(run.executor)
) -> list[Group]:
    """The runs in groups of about one size, no larger than `most`, in the order of their first
    ones.

    Runs of one seed stand together: they share the plan of every round.
    """
    alike: dict[tuple[Any, ...], list[RunSpec]] = {}
    for run in runs:
        alike.setdefault(_kind(run, most(run)), []).append(run)
    groups: list[Group] = []
    for same in alike.values():
        same.sort(key=lambda run: run.seed)
        count = -(-len(same) // most(same[0]))
        size = -(-len(same) // count)
        groups += [tuple(same[first : first + size]) for first in range(0, len(same), size)]
    place = {run.key: i for i, run in enumerate(runs)}
    return sorted(groups, key=lambda group: place[group[0].key])


def _kind(run: RunSpec, most: int) -> tuple[Any, ...]:
    """What the runs of a group have in common. What is held belongs to the network, and comes with
    start and seed.
    """
    shared = tuple(getattr(run, field.name) for field in fields(run) if field.name not in DIFFER)
    return (*shared, run.start, run.seed) if most > 1 and holds(run) else shared
