"""Marks at judgements that a reader would take for more than they are, and what the marks mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.findings import NOT_ASKED

Published = Mapping[str, Any]
"""What `findings.json` holds of a study."""

FLOOR, SAME = "\u2020", "\u2021"
MEANING = {
    FLOOR: "the first start learned nothing (a caution above), so that this compares the other one "
    "with a floor. Read it as undecided.",
    SAME: "the same number in these studies, for they measured the same weights on the same sample "
    "with the same seeds. It is one measurement, not one that confirms the other.",
}
NEEDS_TRAINING = frozenset(f.number for f in FINDINGS.values() if f.needs_training)
OPEN = ("undecided", "one start", NOT_ASKED)


def marks(study: Published, answer: Mapping[str, Any], studies: Sequence[Published]) -> str:
    """The marks of one judgement, each after a space; empty where it has none."""
    found = ""
    is_judged = answer["number"] in NEEDS_TRAINING and answer["judgement"] not in OPEN
    if is_judged and has_floor(study):
        found += f" {FLOOR}"
    if is_same(study, answer, studies):
        found += f" {SAME}"
    return found


def has_floor(study: Published) -> bool:
    """Whether the first of the two compared starts has hardly changed the accuracy."""
    first = next(iter(study["compared"] or study["starts"]), None)
    return first in study["unlearned"]


def is_same(study: Published, answer: Mapping[str, Any], studies: Sequence[Published]) -> bool:
    """Whether another study of the same task and model has the very same numbers for this
    finding.
    """
    if not answer.get("judged"):
        return False
    numbers = []
    for other in studies:
        if (other["task"], other["model"]) == (study["task"], study["model"]):
            numbers.append(answer_to(answer["number"], other).get("judged"))
    return numbers.count(answer["judged"]) > 1


def answer_to(number: int, study: Published) -> Mapping[str, Any]:
    """What a study answers to a finding."""
    found: Mapping[str, Any] = study["findings"][number - 1]
    return found


def notes(lines: Iterable[str]) -> list[str]:
    """What the marks in these lines mean, a line each."""
    text = "\n".join(lines)
    return [f"{mark} {meaning}" for mark, meaning in MEANING.items() if mark in text]
