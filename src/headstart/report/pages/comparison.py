"""One page over the studies of several tasks: their verdicts, and finding by finding their figures
side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from headstart import files
from headstart.errors import HeadstartError
from headstart.looks.competitors import family
from headstart.paper.findings import Finding
from headstart.report import written_files
from headstart.report.figures.axes import on_common_axes
from headstart.report.figures.rendering import inline, render
from headstart.report.judgement.findings import Judged
from headstart.report.judgement.reading import Reading, read
from headstart.report.judgement.study_names import labels
from headstart.report.pages.templates import environment
from headstart.report.panels.base import Panel
from headstart.report.runs.grid import Grid
from headstart.report.verdict.sentences import difference
from headstart.report.verdict.verdict import Verdict
from headstart.report.words.written_parts import by_name
from headstart.wording.phrases import listed

GENERATOR = "headstart compare"
UNNAMED = "study"
"""The name of a study whose file gives it none."""


@dataclass(frozen=True)
class StudyColumn:
    """A study beside the others."""

    label: str
    reading: Reading

    @property
    def grid(self) -> Grid:
        """The study's cells."""
        return self.reading.grid

    @property
    def model(self) -> str:
        """The study's model, as its file names it."""
        return str(called_in(self.grid)["model"])

    @property
    def verdict(self) -> Verdict:
        """The study's verdict."""
        return self.reading.verdict

    @property
    def gain(self) -> str:
        """What its start is expected to bring at the end, in one sentence; empty with one start,
        and where the verdict says it.
        """
        said = self.verdict
        if said.gain is None or difference(said.gain) in said.where.evidence:
            return ""
        measure = f"final {self.grid.measure} against {said.against}"
        return f"{difference(said.gain)} of {measure}, each with its best pair"

    @property
    def cautions(self) -> list[str]:
        """The study's cautions."""
        return self.reading.cautions.sentences


@dataclass(frozen=True)
class FindingCell:
    """A finding in one study; no figure where the study has no runs for it."""

    label: str
    judged: Judged
    figure: Markup | None


@dataclass(frozen=True)
class FindingRow:
    """A finding over all studies."""

    finding: Finding
    cells: list[FindingCell]

    @property
    def slug(self) -> str:
        """The finding's name."""
        return self.finding.slug


def write(directories: Sequence[str | Path], page: str | Path) -> Path:
    """Write the page over the studies in `directories`, in that order, and return its path.

    Raises:
        HeadstartError: a study cannot be read, the page cannot be written, or another file stands
            there.
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise HeadstartError(f"--into: expected a page .html, got {page.name!r}")
    written_files.refuse_foreign(
        page, f'name="generator" content="{GENERATOR}"', "a page of `headstart compare`"
    )
    readings = list(map(read, directories))
    names = names_of([called_in(reading.grid) for reading in readings])
    columns = [StudyColumn(*both) for both in zip(names, readings, strict=True)]
    template = environment([column.grid for column in columns]).get_template("compare.html.jinja")
    title = f"Where to begin: {listed(names)}"
    text = template.render(generator=GENERATOR, title=title, columns=columns, rows=rows(columns))
    files.write(page, text)
    return page


def called_in(grid: Grid) -> dict[str, Any]:
    """The settings of a study, its task and its model by the names that it gives them."""
    found = dict(grid.records.settings)
    for key in ("task", "model"):
        found[key] = grid.records.names.called(key, str(found.get(key, "")))
    return found


def names_of(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What studies call themselves, by title or else name, where that tells them apart; else what
    does.
    """
    own, called, described = [], [], []
    for each in settings:
        task, model = by_name(str(each.get("task", ""))), by_name(str(each.get("model", "")))
        own.append(str(each.get("title") or _name(each)))
        called.append(own[-1] or family(task))
        described.append((task, model, own[-1]))
    return called if len(set(called)) == len(called) else labels(described)


def _name(settings: Mapping[str, Any]) -> str:
    """The name that somebody gave a study; empty where nobody did."""
    name = str(settings.get("name") or "")
    return "" if name == UNNAMED else name


def rows(columns: Sequence[StudyColumn]) -> list[FindingRow]:
    """The findings in the paper's order, each drawn for every study that asked it.

    They are drawn in the narrow layout.
    """
    found = []
    for several in zip(*[column.reading.findings for column in columns], strict=True):
        cells = []
        figures = _figures([each.panel for each in several if isinstance(each.panel, Panel)])
        for i, (column, each) in enumerate(zip(columns, several, strict=True)):
            figure = None
            if isinstance(each.panel, Panel):
                figure = Markup(inline(figures.pop(0), f"{each.panel.slug}-{i}"))
            cells.append(FindingCell(column.label, each, figure))
        found.append(FindingRow(several[0].finding, cells))
    return found


def _figures(panels: Sequence[Panel]) -> list[bytes]:
    """The narrow figures as SVG, their accuracies on one scale."""
    narrow = [(panel.draw, panel.heights[1]) for panel in panels]
    draws = on_common_axes(narrow)
    figures = []
    for draw, (_, height) in zip(draws, narrow, strict=True):
        figures.append(render(draw, height, wide=False)["svg"])
    return figures
