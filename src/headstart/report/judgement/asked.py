"""Every panel of a study, and when a panel is not to be judged.

That is where accuracy was not measured, or the first start learned nothing.
"""

from dataclasses import replace

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.cautions import in_words
from headstart.report.measures.learning import Learning, learning
from headstart.report.panels import PANELS
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Grid


def asked(grid: Grid) -> list[Panel | Missing]:
    """The panels in the order of the page."""
    first = learning(grid, grid.between[0]) if grid.between else None
    panels = []
    for build in PANELS:
        panel = _with_accuracy(build(grid), grid)
        if first is not None and first.hardly:
            panel = _not_judged(panel, first)
        panels.append(panel)
    return panels


def _with_accuracy(panel: Panel | Missing, grid: Grid) -> Panel | Missing:
    if grid.measured or FINDINGS[panel.slug].judges != "accuracy":
        return panel
    need = "the probe evaluation: accuracy was not measured"
    return Missing(panel.slug, panel.heading, need)


def _not_judged(panel: Panel | Missing, floor: Learning) -> Panel | Missing:
    """Where the first start stays where it began, a difference from it is no answer."""
    if isinstance(panel, Missing) or not FINDINGS[panel.slug].needs_training:
        return panel
    answer = panel.answer
    if answer.says is None:
        return panel
    said = f"{answer.sentence} Not judged, as the start is untrained: {in_words(floor)}."
    return replace(panel, answer=replace(answer, says="undecided", sentence=said, judged=None))
