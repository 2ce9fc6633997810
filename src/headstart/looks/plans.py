"""When a study is looked at: the plan of its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.statistics.sequential import Looks, one_look, until_decided

MARGIN = 0.5
"""Points of accuracy: a difference that is no more than this does not matter where nothing is said.
"""


@dataclass(frozen=True)
class Plan:
    """When a study is looked at.

    Attributes:
        seeds: in the order in which the study runs them.
        looks: those planned, with those taken.
        margin: a difference in accuracy, as a share, that is no more than this does not matter.
    """

    seeds: tuple[int, ...]
    looks: Looks
    margin: float


def plan_of(settings: Mapping[str, Any]) -> Plan:
    """The looks that a study file plans, where none were taken yet.

    settings: its keys; `seeds` is a list, or `{until: decided, first: 3, at_most: 20}`.
    """
    seeds = settings.get("seeds", [0])
    margin = settings.get("margin", MARGIN) / 100
    if isinstance(seeds, Mapping):
        looks = until_decided(seeds["first"], seeds["at_most"])
        return Plan(tuple(range(seeds["at_most"])), looks, margin)
    return Plan(tuple(seeds), one_look(len(seeds)), margin)
