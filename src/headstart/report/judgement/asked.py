"""Every panel of a study: when it is not to be judged, and its answer among those of all others.

It is not judged where accuracy was not measured, or the first start learned nothing. All answers of
a study are corrected together, once, here: whoever shows a panel shows the answer that stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.cautions import in_words
from headstart.report.measures.learning import Learning, learning
from headstart.report.panels import PANELS
from headstart.report.panels.base import Answer, Missing, Panel, corrected
from headstart.report.panels.further import FURTHER
from headstart.report.runs.grid import Grid
from headstart.report.runs.margins import margin_of


def asked(grid: Grid) -> list[Panel | Missing]:
    """The panels in the order of the page."""
    first = learning(grid, grid.between[0]) if grid.between else None
    panels = []
    for build in PANELS:
        panel = _with_accuracy(build(grid), grid)
        if first is not None and first.hardly:
            panel = _not_judged(panel, first)
        panels.append(panel)
    return _together([*panels, *further(grid)], grid)


def further(grid: Grid) -> list[Panel | Missing]:
    """The panels of what the paper did not ask, of a study that measured what they need."""
    built = [build(grid) for build in FURTHER]
    return [panel for panel in built if isinstance(panel, Panel)]


def _together(panels: list[Panel | Missing], grid: Grid) -> list[Panel | Missing]:
    """The panels, their answers corrected for one another, and for the start that was picked."""
    answers = {}
    others = max(len(grid.starts) - 1, 1)
    for panel in panels:
        if isinstance(panel, Panel):
            answer = _with_margin(panel, grid.records.settings)
            answers[panel.slug] = replace(answer, picked_from=others * answer.picked_from)
    standing = corrected(answers)
    found: list[Panel | Missing] = []
    for panel in panels:
        if isinstance(panel, Panel):
            panel = replace(panel, answer=standing[panel.slug])
        found.append(panel)
    return found


def _with_margin(panel: Panel, settings: Mapping[str, Any]) -> Answer:
    """The answer with the difference that does not matter, where there is one."""
    found = margin_of(settings, panel.slug, panel.answer.unit)
    if found is None:
        return panel.answer
    margin, within = found
    return replace(panel.answer, margin=margin, within=within)


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
