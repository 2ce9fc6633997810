"""When a study is looked at: the plan of its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.errors import HeadstartError
from headstart.looks.repeats import first_of_repeat, repeats_of
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
        repeats: how often the study is tuned. Where these are fewer than the seeds, `seeds` are
            the first of each repeat, and stand for all that share its rates.
    """

    seeds: tuple[int, ...]
    looks: Looks
    margin: float
    repeats: int = 1


def plan_of(settings: Mapping[str, Any]) -> Plan:
    """The looks that a study file plans, where none were taken yet.

    settings: its keys; `seeds` is a list, or `{until: decided, first: 3, at_most: 20}`.

    Raises:
        HeadstartError: it is run until decided, with fewer repeats of its tuning than seeds.
    """
    seeds = settings.get("seeds", [0])
    margin = settings.get("margin", MARGIN) / 100
    repeats = max(repeats_of(settings), 1)
    if isinstance(seeds, Mapping):
        if 1 < repeats < seeds["at_most"]:
            raise HeadstartError(
                "tuning.repeats: a look counts each seed as a result of its own; expected 1, or "
                f"one for each of at most {seeds['at_most']} seeds, got {repeats}"
            )
        looks = until_decided(seeds["first"], seeds["at_most"])
        return Plan(tuple(range(seeds["at_most"])), looks, margin, repeats)
    first = first_of_repeat(seeds, repeats)
    independent = tuple(dict.fromkeys(first.get(seed, seed) for seed in seeds))
    return Plan(independent, one_look(len(independent)), margin, repeats)
