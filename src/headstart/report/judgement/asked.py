"""Every panel of a study, and when a panel is not to be judged: accuracy was not measured, or the first start learned
nothing."""

from dataclasses import replace

from headstart.paper.findings import FINDINGS
from headstart.report.measures.learning import hardly
from headstart.report.panels import PANELS
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast


def asked(study: Study) -> list[Panel | Missing]:
    """The panels in the paper's reading order."""
    between = contrast(study)
    floor = hardly(study, between[0]) if between else ""
    return [_judged_if_learned(_with_accuracy(build(study), study), floor) for build in PANELS]


def _with_accuracy(panel: Panel | Missing, study: Study) -> Panel | Missing:
    if study.measured or FINDINGS[panel.slug].judges != "accuracy":
        return panel
    return Missing(panel.slug, panel.heading, "the probe evaluation: accuracy was not measured")


def _judged_if_learned(panel: Panel | Missing, floor: str) -> Panel | Missing:
    """Where the first start stays where it began, a difference from it is that floor and no answer to the question."""
    if not floor or isinstance(panel, Missing) or not FINDINGS[panel.slug].needs_training:
        return panel
    if panel.answer.says is None:
        return panel
    said = f"{panel.answer.sentence} Not judged, as the start is untrained: {floor}."
    return replace(panel, answer=replace(panel.answer, says="undecided", sentence=said, judged=None))
