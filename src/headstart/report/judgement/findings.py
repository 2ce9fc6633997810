"""The paper's findings in its order, each with what one study answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headstart.paper.findings import FINDINGS, Finding
from headstart.report.panels.base import Missing, Panel
from headstart.statistics.intervals import holm, p_against

NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Judged:
    """A finding and the panel that judges it; a `Missing` one where the study has no runs for it.

    `p`: of what is judged, by Holm among the findings of the study; None where nothing is tested.
    """

    finding: Finding
    panel: Panel | Missing
    p: float | None = None

    @property
    def judgement(self) -> str:
        """`holds`, `does not hold`, `undecided`, `one start` or `not asked`."""
        if isinstance(self.panel, Missing):
            return NOT_ASKED
        return self.finding.judgement(self.panel.answer.says)


def judged(panels: Sequence[Panel | Missing]) -> list[Judged]:
    """All nine, from finding 1 to finding 9, each with its corrected p-value."""
    found = [Judged(FINDINGS[panel.slug], panel) for panel in panels]
    found.sort(key=lambda each: each.finding.number)
    tested = [i for i, each in enumerate(found) if _p(each.panel) is not None]
    corrected = holm([_p(found[i].panel) for i in tested])
    for i, p in zip(tested, corrected, strict=True):
        found[i] = replace(found[i], p=p)
    return found


def _p(panel: Panel | Missing) -> float | None:
    if isinstance(panel, Missing) or panel.answer.judged is None:
        return None
    return p_against(panel.answer.judged, -panel.answer.margin)
