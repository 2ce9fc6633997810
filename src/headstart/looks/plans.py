"""When a study is looked at: the plan of its file, and how it goes on from looks that were taken.

A study whose seeds are listed is looked at once, after all of them. One that runs until it has
decided is looked at after `first` seeds and after each further one. A folder that goes on with
another plan keeps the looks that were taken: those to come share the error that is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headstart.errors import HeadstartError
from headstart.looks.repeats import first_of_repeat, repeats_of
from headstart.statistics.joint.sequential import Looks, grown, one_look, until_decided

MARGIN = 0.5
"""Points of accuracy: a difference that is no more than this does not matter where nothing is said.
"""


@dataclass(frozen=True)
class Plan:
    """When a study is looked at.

    Attributes:
        seeds: in the order in which the study runs them.
        looks: those planned, with those taken; none where there is one seed.
        margin: a difference in accuracy, as a share, that is no more than this does not matter.
        repeats: how often a study is tuned whose repeats are fewer than its seeds: `seeds` are the
            first of each, and stand for all that share its rates. Else 1.
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
        return Plan(tuple(range(seeds["at_most"])), looks, margin)
    first = first_of_repeat(seeds, repeats)
    independent = tuple(dict.fromkeys(first.get(seed, seed) for seed in seeds))
    looks = one_look(len(independent)) if len(independent) > 1 else Looks((), ())
    return Plan(independent, looks, margin, repeats)


def going_on(asked: Plan, before: Plan, taken: int) -> Plan:
    """The plan of a folder in which looks were taken by another plan than the one that is asked
    for.

    Args:
        asked: what the study file plans.
        before: the plan of the folder.
        taken: so many of its looks were taken.

    Raises:
        HeadstartError: a seed that was looked at is not asked for any more.
    """
    at, spent = before.looks.seeds[:taken], before.looks.spent[:taken]
    seen = before.seeds[: at[-1]] if at else ()
    if gone := [seed for seed in seen if seed not in asked.seeds]:
        raise HeadstartError(
            f"seeds: seed {gone[0]} was looked at and is not among them any more; looks that were "
            "taken count, so put it back, or choose a new folder"
        )
    order = (*seen, *(seed for seed in asked.seeds if seed not in seen))
    planned = asked.looks
    if at and (planned.seeds[:taken], planned.spent[:taken]) != (at, spent):
        further = tuple(seeds for seeds in planned.seeds if seeds > at[-1])
        planned = Looks(at, spent)
        planned = grown(planned, further) if further else planned
    return replace(asked, seeds=order, looks=planned)


def as_mapping(plan: Plan) -> dict[str, Any]:
    """A plan as JSON has it."""
    return {
        "seeds": plan.seeds,
        "margin": plan.margin,
        "repeats": plan.repeats,
        "looks": {"seeds": plan.looks.seeds, "spent": plan.looks.spent},
    }


def from_mapping(written: Mapping[str, Any]) -> Plan:
    """A plan as `as_mapping` wrote it.

    >>> plan = Plan((0, 1), one_look(2), 0.005)
    >>> from_mapping(as_mapping(plan)) == plan
    True
    """
    looks = Looks(*(tuple(written["looks"][name]) for name in ("seeds", "spent")))
    margin, repeats = float(written["margin"]), int(written["repeats"])
    return Plan(tuple(written["seeds"]), looks, margin, repeats)
