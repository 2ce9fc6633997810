"""How large a difference can be and not matter, for each finding of a study: as its file states it
in `margins`, or as it is kept beside the findings.
"""

import math
from collections.abc import Mapping
from typing import Any

from headstart.looks.plans import MARGIN
from headstart.paper.findings import FINDINGS


def amount(settings: Mapping[str, Any], slug: str) -> float | None:
    """The margin of a finding in the unit that `paper.findings` gives it; None where it has none.

    >>> amount({"margins": {"speedup": 3}}, "speedup"), amount({"margin": 1.0}, "iid-gap")
    (3.0, 1.0)
    >>> amount({}, "ranking") is None
    True
    """
    finding = FINDINGS.get(slug)
    if finding is None or finding.margin is None:
        return None
    for value in (_stated(settings, slug), finding.margin.amount, settings.get("margin")):
        if isinstance(value, int | float):
            return float(value)
    return MARGIN


def _stated(settings: Mapping[str, Any], slug: str) -> Any:
    stated = settings.get("margins")
    return stated.get(slug) if isinstance(stated, Mapping) else None


def margin_of(settings: Mapping[str, Any], slug: str, unit: str) -> tuple[float, str] | None:
    """The margin of a finding in the unit of what is judged, and in words.

    None where no answer can be that no difference matters. A finding that is judged by accuracies
    for want of something else has the study's own margin.

    Args:
        settings: the keys of the study file.
        slug: of the finding.
        unit: of what is judged.
    """
    finding, found = FINDINGS.get(slug), amount(settings, slug)
    if finding is None or finding.margin is None or found is None or finding.margin.is_claimed:
        return None
    if unit == "accuracy":
        if finding.margin.unit != "points":
            found = float(settings.get("margin", MARGIN))
        return found / 100, f"{found:g} points"
    if unit == "rounds":
        rounds = settings.get("rounds")
        if not isinstance(rounds, int):
            return None
        return found / 100 * rounds, f"{found / 100 * rounds:g} rounds, {found:g}% of {rounds}"
    if unit == "logarithm of the ratio":
        return math.log1p(found / 100), f"{found:g}%"
    return (found, f"{found:g}") if unit in ("cosine", "loss") else None
