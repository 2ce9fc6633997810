"""The paper's findings in its order, each with what one study answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headstart.paper.findings import FINDINGS, Finding
from headstart.report.judgement.asked import asked
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import family
from headstart.report.runs.grid import Study
from headstart.statistics.intervals import holm, p_against

NOT_ASKED = "not asked"
LONGEST = 60
"""Characters of a task that a study may be called by."""


@dataclass(frozen=True)
class Judged:
    """A finding and the panel that judges it; a `Missing` one where the study has no runs for it."""

    finding: Finding
    panel: Panel | Missing
    p: float | None = None  # of what is judged, by Holm among the findings of the study; None where nothing is tested

    @property
    def judgement(self) -> str:
        """`holds`, `does not hold`, `undecided`, `one start` or `not asked`."""
        return self.finding.judgement(self.panel.answer.says) if isinstance(self.panel, Panel) else NOT_ASKED


def judged(study: Study) -> list[Judged]:
    """All nine, from finding 1 to finding 9, each with its p-value corrected for those that are asked at once."""
    found = [Judged(FINDINGS[panel.slug], panel) for panel in asked(study)]
    found.sort(key=lambda each: each.finding.number)
    alone = {each.finding.number: p for each in found if (p := _p(each.panel)) is not None}
    corrected = dict(zip(alone, holm(list(alone.values())), strict=True))
    return [replace(each, p=corrected.get(each.finding.number)) for each in found]


def _p(panel: Panel | Missing) -> float | None:
    if isinstance(panel, Missing) or panel.answer.judged is None:
        return None
    return p_against(panel.answer.judged, -panel.answer.margin)


def labels(studies: Sequence[tuple[str, str, str]]) -> list[str]:
    """What to call studies beside one another, given the task, the model and the title of each: no more than tells them
    apart.

    >>> labels([("digits(test=300)", "mlp", "A"), ("cifar10", "resnet18", "B"), ("cifar10", "squeezenet1_0", "C")])
    ['digits', 'cifar10, resnet18', 'cifar10, squeezenet1_0']
    >>> labels([("digits", "mlp", "A"), ("digits", "mlp", "B"), ("digits", "mlp", "B")])
    ['A', 'B (2)', 'B (3)']

    A task with many parameters is no name: its family stands for it.
    """

    def alone(names: list[str]) -> list[bool]:
        return [names.count(name) == 1 for name in names]

    bare = [family(task) for task, _, _ in studies]
    tasks = [task if len(task) <= LONGEST else family(task) for task, _, _ in studies]
    both = [f"{task}, {model}" for task, (_, model, _) in zip(tasks, studies, strict=True)]
    titles = [title or name for (_, _, title), name in zip(studies, both, strict=True)]
    numbered = [t if one else f"{t} ({i})" for i, (t, one) in enumerate(zip(titles, alone(titles), strict=True), 1)]
    kinds = [(names, alone(names)) for names in (bare, tasks, both, titles)]
    return [next((names[i] for names, one in kinds if one[i]), numbered[i]) for i in range(len(studies))]
