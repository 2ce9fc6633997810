"""Marks at judgements that a reader would take for more than they are, and what the marks mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.findings import NOT_ASKED

Published = Mapping[str, Any]
FLOOR, SAME = "\u2020", "\u2021"
MEANING = {
    FLOOR: "the first start learned nothing (a caution above), so that this compares the other one with a floor. Read "
    "it as undecided.",
    SAME: "the same number in these studies, for they measured the same weights on the same sample with the same "
    "seeds. It is one measurement, not one that confirms the other.",
}
NEEDS_TRAINING = frozenset(f.number for f in FINDINGS.values() if f.needs_training)
OPEN = ("undecided", "one start", NOT_ASKED)


def marks(study: Published, answer: Published, studies: Sequence[Published]) -> str:
    """The marks of one judgement, each after a space; empty where it has none."""
    floor = answer["number"] in NEEDS_TRAINING and answer["judgement"] not in OPEN and unlearned(study)
    return "".join(f" {mark}" for mark, on in ((FLOOR, floor), (SAME, is_same(study, answer, studies))) if on)


def unlearned(study: Published) -> bool:
    """Whether a caution says that the first of the two compared starts has hardly changed the accuracy."""
    first = next(iter(study.get("compared") or study.get("starts") or ()), "")
    return any(text.startswith(f"From {first} training has hardly changed") for text in study["cautions"])


def is_same(study: Published, answer: Published, studies: Sequence[Published]) -> bool:
    """Whether another study of the same task and model has the very same numbers for this finding."""
    if not answer.get("judged"):
        return False
    same = [other for other in studies if (other["task"], other["model"]) == (study["task"], study["model"])]
    found = [each for other in same for each in other["findings"] if each["number"] == answer["number"]]
    return [each.get("judged") for each in found].count(answer["judged"]) > 1


def notes(text: Iterable[str]) -> list[str]:
    """What the marks in these lines mean, a line each."""
    lines = list(text)
    return [f"{mark} {meaning}" for mark, meaning in MEANING.items() if any(mark in line for line in lines)]
