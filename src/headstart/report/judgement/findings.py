"""The paper's findings in its order, each with what one study answers to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.paper.findings import FINDINGS, Finding
from headstart.report.panels.base import Missing, Panel

NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Judged:
    """A finding and the panel that judges it; a `Missing` one where the study has no runs for
    it.
    """

    finding: Finding
    panel: Panel | Missing

    @property
    def p(self) -> float | None:
        """Of what is judged, by Holm among the study's answers; None where nothing is tested."""
        return None if isinstance(self.panel, Missing) else self.panel.answer.p

    @property
    def judgement(self) -> str:
        """`holds`, `does not hold`, `undecided`, `one start` or `not asked`."""
        if isinstance(self.panel, Missing):
            return NOT_ASKED
        return self.finding.judgement(self.panel.answer.says)


def judged(panels: Sequence[Panel | Missing]) -> list[Judged]:
    """All nine, from finding 1 to finding 9; panels of other questions are left out."""
    found = []
    for panel in panels:
        if panel.slug in FINDINGS:
            found.append(Judged(FINDINGS[panel.slug], panel))
    return sorted(found, key=lambda each: each.finding.number)
