"""A probe: a diagnostic measured before the first round, every few rounds, and after the last."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headstart.engine.executors.base import Cohort
from headstart.engine.federation import State
from headstart.models.network import Network
from headstart.parts.registry import Registry
from headstart.tasks.base import Examples, Objective
from headstart.trees import Tree

Metrics = dict[str, float]


class Moment(NamedTuple):
    """A point of a run. `cohort` and `previous` are those of the round just done, None before the
    first.

    `last`: whether the run ends here. A run that diverges has no last moment.
    """

    state: State
    previous: State | None
    cohort: Cohort | None
    last: bool = False


def nothing_to_add(kept: Mapping[int, Tree], final: Tree) -> Iterable[tuple[int, Metrics]]:
    """For probes that need no look back."""
    return ()


Found = list[tuple[float, float]]
"""Mean loss and accuracy of each split that was evaluated."""


class Question(NamedTuple):
    """What a probe wants evaluated, so that it can be for several runs at once; then(found) ->
    metrics by name. `splits`: all rows of a split, or a sample of them.
    """

    network: Network
    x: Tree
    splits: Sequence[Examples]
    objective: Objective
    batch: int
    then: Callable[[Found], Metrics]


@dataclass(frozen=True)
class Probe:
    """measure(moment) -> metrics by name. With `keep`, what it makes of the weights of the measured
    rounds is kept (and saved with the run), and at the end look_back(kept by round, final weights)
    -> rounds, each with its metrics.

    `ends_only`: it measures nothing but before the first round and after the last, and of the
    weights alone; so it can be measured of runs that are done. `asks`: for probes that do no more
    than evaluate; `measure` then answers the question of this one run.
    """

    measure: Callable[[Moment], Metrics]
    keep: Callable[[Tree], Tree] | None = None
    look_back: Callable[[Mapping[int, Tree], Tree], Iterable[tuple[int, Metrics]]] = nothing_to_add
    asks: Callable[[Moment], Question] | None = None
    ends_only: bool = False


PROBES: Registry[Probe] = Registry("probe", "headstart.probes", Probe, takes=("federation",))
"""Factories (federation, *, parameters) -> Probe."""
