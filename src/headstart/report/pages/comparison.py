"""One page over the studies of several tasks: their verdicts, and finding by finding their figures side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from headstart import files
from headstart.errors import HeadstartError
from headstart.paper.findings import Finding
from headstart.report import own_files as ours
from headstart.report.appendix import completeness as appendix
from headstart.report.figures.axes import on_common_axes
from headstart.report.figures.rendering import inline, render
from headstart.report.judgement.findings import Judged, judged, labels
from headstart.report.judgement.verdict import Verdict, verdict
from headstart.report.pages.study_page import environment
from headstart.report.panels.base import Panel
from headstart.report.runs import records as tables
from headstart.report.runs.cells import family
from headstart.report.runs.grid import Study, slice_up
from headstart.report.words.numbers import listed, points

GENERATOR = "headstart compare"
UNNAMED = "study"
"""The name of a study whose file gives it none."""


@dataclass(frozen=True)
class Column:
    """A study beside the others."""

    label: str
    study: Study
    verdict: Verdict
    findings: list[Judged]

    @property
    def gain(self) -> str:
        """What its start is expected to bring at the end, in one sentence; empty with one start."""
        said = self.verdict
        if said.gain is None:
            return ""
        return f"{points(said.gain)} of final {self.study.measure} against {said.against}, each with its best pair"

    @property
    def cautions(self) -> list[str]:
        return appendix.cautions(self.study)


@dataclass(frozen=True)
class Cell:
    """A finding in one study; no figure where the study has no runs for it."""

    label: str
    judged: Judged
    figure: Markup | None


@dataclass(frozen=True)
class Row:
    """A finding over all studies."""

    slug: str
    finding: Finding
    cells: list[Cell]


def write(directories: Sequence[str | Path], page: str | Path) -> Path:
    """Write the page over the studies in `directories`, in that order, and return its path.

    Raises HeadstartError where a study cannot be read, or the page cannot be written or another file stands there.
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise HeadstartError(f"--into: expected a page .html, got {page.name!r}")
    ours.refuse_foreign(page, GENERATOR, "a page of `headstart compare`")
    studies = [slice_up(tables.read(Path(directory))) for directory in directories]
    names = names_of([study.results.settings for study in studies])
    columns = [Column(name, s, verdict(s), judged(s)) for name, s in zip(names, studies, strict=True)]
    text = environment().get_template("compare.html.jinja").render(
        generator=GENERATOR, title=f"Where to begin: {listed(names)}", columns=columns, rows=rows(columns)
    )  # fmt: skip
    files.write(page, text)
    return page


def names_of(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What studies call themselves, by title or else name, where that tells them apart; else what does."""
    tasks, models = ([str(each.get(key, "")) for each in settings] for key in ("task", "model"))
    own = [str(each.get("title") or _name(each)) for each in settings]
    called = [one or family(task) for one, task in zip(own, tasks, strict=True)]
    return called if len(set(called)) == len(called) else labels(list(zip(tasks, models, own, strict=True)))


def _name(settings: Mapping[str, Any]) -> str:
    """The name that somebody gave a study; empty where it has that of all studies without one."""
    name = str(settings.get("name") or "")
    return "" if name == UNNAMED else name


def rows(columns: Sequence[Column]) -> list[Row]:
    """The findings in the paper's order, each drawn for every study that asked it, in the narrow layout."""
    found = []
    for several in zip(*(column.findings for column in columns), strict=True):
        asked = [each.panel for each in several if isinstance(each.panel, Panel)]
        draws = iter(on_common_axes([(panel.draw, panel.heights[1]) for panel in asked], wide=False))
        cells = []
        for i, (column, each) in enumerate(zip(columns, several, strict=True)):
            figure = None
            if isinstance(each.panel, Panel):
                svg = render(next(draws), each.panel.heights[1], wide=False)["svg"]
                figure = Markup(inline(svg, f"{each.panel.slug}-{i}"))
            cells.append(Cell(column.label, each, figure))
        found.append(Row(several[0].panel.slug, several[0].finding, cells))
    return found
