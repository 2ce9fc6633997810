"""What a study's folder says, computed once: every page and file is written from it."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from headstart.report.appendix.sections import Appendix, appendix
from headstart.report.judgement import consequences
from headstart.report.judgement.asked import asked
from headstart.report.judgement.cautions import Cautions, cautions
from headstart.report.judgement.findings import Judged, judged
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Grid
from headstart.report.runs.records import read as read_records
from headstart.report.runs.sorting import sort
from headstart.report.verdict.verdict import Verdict, verdict
from headstart.wording.escapes import printable


@dataclass(frozen=True)
class Reading:
    """A study as it is read: its cells, and what they say.

    Each part is computed when it is first asked for, and no more than once.
    """

    folder: Path
    grid: Grid

    @property
    def name(self) -> str:
        """The name of the study's folder, as commands on the page give it."""
        return printable(Path(os.path.realpath(self.folder)).name)

    @cached_property
    def panels(self) -> list[Panel | Missing]:
        """The panels in the order of the page."""
        return asked(self.grid)

    @property
    def shown(self) -> list[Panel]:
        """The panels that this study has runs for."""
        return [panel for panel in self.panels if isinstance(panel, Panel)]

    @property
    def absent(self) -> list[Missing]:
        """The questions that this study has no runs for."""
        return [panel for panel in self.panels if isinstance(panel, Missing)]

    @cached_property
    def findings(self) -> list[Judged]:
        """The nine findings in the paper's order, each with what the study answers."""
        return judged(self.panels)

    @cached_property
    def verdict(self) -> Verdict:
        """Where to begin, with what, how sure, at what cost and why."""
        tuning = self.appendix.tuning
        return verdict(self.grid, self.panels, self.name, tuning.tied if tuning else "")

    @property
    def start(self) -> str:
        """The start that the verdict names, or leans to."""
        return self.verdict.start

    @cached_property
    def consequences(self) -> list[str]:
        """What follows from the verdict."""
        return consequences.consequences(self.grid, self.start, self.panels)

    @cached_property
    def appendix(self) -> Appendix:
        """What stands below the panels."""
        return appendix(self.grid)

    @cached_property
    def cautions(self) -> Cautions:
        """What limits the verdict."""
        return cautions(self.grid, self.appendix.tuning)


def read(folder: str | Path) -> Reading:
    """Read the tables of a study's folder. Torch is not loaded.

    Raises:
        HeadstartError: a table is missing or damaged, or no run has ended.
    """
    folder = Path(folder)
    return Reading(folder, sort(read_records(folder)))
