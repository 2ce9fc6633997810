"""Writes `report.html`, `figures/` and `tables/` of a study's folder. Reads tables only; never
imports torch.
"""

import io
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from markupsafe import Markup

from headstart.errors import HeadstartError
from headstart.paper.findings import FINDINGS, Finding
from headstart.report import written_files
from headstart.report.appendix import shares
from headstart.report.appendix.best_of_starts import Picture
from headstart.report.appendix.needs import needs_of
from headstart.report.appendix.settings import settings
from headstart.report.figures.rendering import START_STYLES, inline, render_all, style
from headstart.report.judgement.reading import Reading, read
from headstart.report.pages.templates import environment
from headstart.report.panels.base import Panel
from headstart.report.runs.grid import Grid
from headstart.report.verdict.sentences import in_points
from headstart.report.words.table import Table, csv_text
from headstart.tables import STUDY_FILE
from headstart.wording.escapes import printable
from headstart.wording.phrases import count, listed

PAGE, SUMS = "report.html", "report.sha256"
"""The page, and the list of the files of a report, in the folder of its study."""

ROWS_SHOWN = 48  # of a table on the page; its file has all


@dataclass(frozen=True)
class Drawn:
    """A panel, or the picture beside the verdict, with its figure in both layouts, as markup."""

    panel: Panel | Picture
    wide: Markup
    narrow: Markup

    @property
    def paper(self) -> Finding | None:
        """The paper's finding that the panel is about."""
        return FINDINGS.get(self.panel.slug)


def write(directory: str | Path, processes: int = 1, into: str | Path | None = None) -> Path:
    """Write the report of the study in `directory` and return the path of its page.

    Files are replaced whole, and those that an earlier report left and this one does not have are
    removed; `processes` draw the figures. `into`: another folder than that of the study, for one
    that was published and has pages of its own.

    Raises:
        HeadstartError: the study cannot be read, or a file cannot be written or is not ours.
    """
    directory = Path(directory)
    into = directory if into is None else Path(into)
    if (into / written_files.PUBLISHED).exists():
        raise HeadstartError(
            f"{into} was published and has pages of its own; name another folder for the report, "
            "with --into"
        )
    with written_files.alone(directory):
        return write_reading(read(directory), processes, into)


def write_reading(reading: Reading, processes: int = 1, into: Path | None = None) -> Path:
    """Write the report of a study that was read, as `write` does."""
    into = into or reading.folder
    drawn, written = draw(shown(reading), processes)
    tables = list(reading.appendix.tables)
    for panel in shown(reading):
        tables += panel.tables
    for table in tables:
        written |= table_files(table)
    written[PAGE] = page(reading, drawn).encode()
    written_files.replace(into, written, SUMS)  # the page last
    return into / PAGE


def refuse_changed(directory: Path) -> None:
    """Refuse a folder in which files of its report were changed: better before a study than after.

    Raises:
        HeadstartError: one was.
    """
    written_files.refuse_changed(directory, SUMS, [PAGE])


def shown(reading: Reading) -> list[Panel | Picture]:
    """All that is drawn: the picture beside the verdict, where there is one, and the panels."""
    picture = reading.appendix.best_of_starts
    return [*([picture] if picture else []), *reading.shown]


def draw(panels: Sequence[Panel | Picture], processes: int) -> tuple[list[Drawn], dict[str, bytes]]:
    """The panels with their figures, and the files of the wide ones; `processes` draw them."""
    drawings = []
    for panel in panels:
        wide, narrow = panel.heights
        drawings += [(panel.draw, wide, True), (panel.draw, narrow, False)]
    figures = iter(render_all(drawings, processes))
    drawn, written = [], {}
    for panel, wide_files, narrow_files in zip(panels, figures, figures, strict=True):
        for kind, content in wide_files.items():
            written[f"figures/{panel.slug}.{kind}"] = content
        wide_svg = inline(wide_files["svg"], f"{panel.slug}-w")
        narrow_svg = inline(narrow_files["svg"], f"{panel.slug}-n")
        drawn.append(Drawn(panel, Markup(wide_svg), Markup(narrow_svg)))
    return drawn, written


def page(reading: Reading, drawn: Sequence[Drawn]) -> str:
    """The page of a study as HTML; `drawn`: its panels with their figures."""
    grid = reading.grid
    given = grid.records.settings
    folder, verdict = reading.name, reading.verdict
    needs = needs_of(given, reading.folder)
    lost = [f"{count(n, 'run')} {status}" for status, n in reading.cautions.lost.items()]
    swatches = [(start, START_STYLES.index(style(grid.starts, start))) for start in grid.starts]
    return environment([grid]).get_template("page.html.jinja").render(
        generator="headstart report",
        title=given.get("title") or given.get("name") or reading.name,
        folder=shlex.quote(folder),
        again=shlex.quote(f"{folder}-again"),
        file=shlex.quote(f"{folder}/{STUDY_FILE}"),
        given=listed(needs.given),
        allow="".join(f" --allow {name}" for name in needs.elsewhere),
        grid=grid,
        preset=given.get("preset"),
        until=isinstance(given.get("seeds"), Mapping),
        verdict=verdict,
        margin=in_points(grid.margin),
        consequences=reading.consequences,
        picture=next((each for each in drawn if isinstance(each.panel, Picture)), None),
        drawn=[each for each in drawn if isinstance(each.panel, Panel)],
        absent=reading.absent,
        swatches=swatches,
        settings=settings(grid),
        shares=shared_out(reading),
        appendix=reading.appendix,
        cautions=reading.cautions,
        of_starts=reading.cautions.of_other_starts(verdict.start if verdict.as_it_is else ""),
        lost=listed(lost),
        yaml=study_text(grid),
        rows_shown=ROWS_SHOWN,
    )  # fmt: skip


def study_text(grid: Grid) -> str:
    """The study file; as its settings tell it where only these are known."""
    if grid.records.text:
        return printable(grid.records.text)
    return yaml.safe_dump(dict(grid.records.settings), sort_keys=False, allow_unicode=True)


def shared_out(reading: Reading) -> str:
    """How accuracy is shared out at the best pair of the start that the verdict names."""
    best = reading.grid.best(reading.start)
    return "" if best is None else shares.told(reading.grid, best.pair)


def table_files(table: Table) -> dict[str, bytes]:
    """A table as files, by their names in the folder."""
    parquet = io.BytesIO()
    pq.write_table(table.arrow(), parquet)
    return {
        f"tables/{table.slug}.csv": csv_text(table.columns, end="\r\n"),
        f"tables/{table.slug}.parquet": parquet.getvalue(),
        f"tables/{table.slug}.tex": table.latex().encode(),
    }
