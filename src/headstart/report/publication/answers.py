"""The findings at a glance: a row a finding, a column a study, each answer in a word.

A cell that compares with a floor, or that repeats a measurement of another study, is no answer.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.paper.findings import FINDINGS, NO_DIFFERENCE, Finding
from headstart.report.figures.matrix import height, matrix
from headstart.report.figures.rendering import in_few_colours, render
from headstart.report.publication.markdown import escaped
from headstart.report.publication.marks import (
    NEEDS_TRAINING,
    Published,
    answer_to,
    has_floor,
    is_same,
)
from headstart.wording.phrases import count

CREATOR = "headstart findings"
"""What the picture says it was made by."""

WORDS = {
    "holds": "yes",
    "does not hold": "no",
    "does not show": "no",
    NO_DIFFERENCE: NO_DIFFERENCE,
    "undecided": "undecided",
    "one start": "not asked",
    "not asked": "not asked",
}
DECIDED = ("yes", "no", NO_DIFFERENCE)


@dataclass(frozen=True)
class Glance:
    """What a study answers to a finding: a word, the difference, and what stands with it."""

    word: str
    difference: str = ""
    note: str = ""

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""
        return self.word in DECIDED


def cells(studies: Sequence[Published], names: Sequence[str]) -> list[list[Glance]]:
    """A row for each finding, a cell for each study."""
    rows = []
    for finding in _ordered():
        row = []
        for place in range(len(studies)):
            row.append(_cell(finding.number, place, studies, names))
        rows.append(row)
    return rows


def _ordered() -> list[Finding]:
    return sorted(FINDINGS.values(), key=lambda finding: finding.number)


def _cell(number: int, place: int, studies: Sequence[Published], names: Sequence[str]) -> Glance:
    """What the study at a place answers to a finding."""
    study = studies[place]
    answer = answer_to(number, study)
    word, difference = WORDS[answer["judgement"]], str(answer.get("difference", ""))
    if word == "not asked":
        return Glance(word)
    if number in NEEDS_TRAINING and has_floor(study):
        return Glance("undecided", difference, "the first start learned nothing")
    for earlier in range(place):
        if is_same(study, answer, [study, studies[earlier]]):
            return Glance("undecided", difference, f"the measurement of {names[earlier]} again")
    if word == NO_DIFFERENCE:
        return Glance(word, difference, f"within {answer.get('within', '')}")
    return Glance(word, difference, _to_decide(answer, study["run"]) if word == "undecided" else "")


def _to_decide(answer: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """The seeds that would decide an open question, and the hours of one core that they take."""
    more = answer.get("more_seeds")
    if more is None:
        # With a sentence, and an interval: it is the number of seeds that is too large.
        is_spread = (answer.get("judged") or {}).get("low") is not None
        return "over 1,000 seeds" if is_spread and answer.get("to_decide") else ""
    hours = more * run.get("run_seconds", 0.0) / len(run["seeds"]) / 3600
    taken = f"{hours:,.0f} h" if hours >= 10 else f"{hours:.1f} h"
    return f"{count(more, 'more seed')}, {taken}"


def table(links: Sequence[str], found: Sequence[Sequence[Glance]]) -> list[str]:
    """The answers as Markdown, and how many are decided.

    Args:
        links: the studies, as links.
        found: the cells, a list for each finding.
    """
    lines = [f"| finding | {' | '.join(links)} | a difference matters from |"]
    lines.append(f"|---|{'---|' * (len(links) + 1)}")
    for finding, row in zip(_ordered(), found, strict=True):
        shown = " | ".join(map(_in_markdown, row))
        lines.append(
            f"| {finding.number}. {escaped(finding.claim)} | {shown} | {_margin(finding)} |"
        )
    every = list(itertools.chain.from_iterable(found))
    decided = sum(cell.decided for cell in every)
    lines += [
        "",
        f"{decided} of {len(every)} cells are decided. **yes**, **no**: whether the finding holds, "
        "told from zero. **no difference that matters**: told from one as large as the last "
        "column, where the study file states no other. Each stands although all findings of a "
        "study are asked at once. *undecided*: neither, with the seeds that would decide it with a "
        "chance of 80 % if it is as measured, and what all runs of the study take for these on one "
        "core. Finding 8 is a \u201cnot always\u201d: *no* says that the task does not show it.",
    ]
    return lines


def _in_markdown(cell: Glance) -> str:
    word = f"**{cell.word}**" if cell.decided else cell.word
    return "<br>".join(filter(None, [word, escaped(cell.difference), escaped(cell.note)]))


def _margin(finding: Finding) -> str:
    margin = finding.margin
    if margin is None:
        return "a rule of its own"
    amount = "half a point" if margin.amount is None else f"{margin.amount:g} {margin.unit}"
    amount = amount.replace("1 points", "1 point")
    amount = amount.replace("1 points", "1 point")
    return f"{amount}, as is claimed" if margin.is_claimed else amount


def picture(names: Sequence[str], found: Sequence[Sequence[Glance]]) -> bytes:
    """The answers as a picture, PNG."""
    rows = [f"{finding.number}. {finding.claim}" for finding in _ordered()]
    words = []
    for row in found:
        words.append([cell.word.replace("ce that", "ce\nthat") for cell in row])
    whole = render(lambda figure, _: matrix(figure, rows, names, words), height(len(rows)), True)
    return in_few_colours(whole["png"], CREATOR)
