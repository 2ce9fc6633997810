"""Writes `report.html`, `figures/` and `tables/` of a study folder. Reads tables only; never imports torch."""

import io
import os
import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pyarrow.parquet as pq
import yaml
from markupsafe import Markup

from headstart.paper.findings import FINDINGS, Finding
from headstart.report import own_files as ours
from headstart.report.appendix import completeness as appendix
from headstart.report.appendix import shares
from headstart.report.appendix import tuning as trials
from headstart.report.figures.rendering import STARTS, inline, render_all, style
from headstart.report.judgement.asked import asked
from headstart.report.judgement.consequences import what_is_open, what_it_costs, when_it_would_flip
from headstart.report.judgement.verdict import Verdict, verdict
from headstart.report.panels.base import Panel
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Study, slice_up
from headstart.report.runs.standings import standing
from headstart.report.words.numbers import count, listed, p_text, size
from headstart.report.words.table import Table, csv_text

SUMS = "report.sha256"
"""The list of the files of a report, in the folder of its study."""

ROWS_SHOWN = 48  # of a table on the page; its file has all


@dataclass(frozen=True)
class Drawn:
    """A panel with its figure in both layouts, as markup."""

    panel: Panel
    wide: Markup
    narrow: Markup

    @property
    def paper(self) -> Finding | None:
        return FINDINGS.get(self.panel.slug)


def write(directory: str | Path, processes: int = 1) -> Path:
    """Write the report of the study in `directory` and return the path of its page; `processes` draw its figures.

    Raises HeadstartError where the study cannot be read, or a file cannot be written or is not ours. Files are
    replaced whole, and those that an earlier report left and this one does not have are removed.
    """
    directory = Path(directory)
    study = slice_up(tables.read(directory))
    built = asked(study)
    panels = [panel for panel in built if isinstance(panel, Panel)]
    same_table, same = appendix.differed(study)
    tuned = trials.tuning(study)
    extra = [tuned.best, tuned.trials] if tuned else []
    shared = shares.table(study)
    extra += [table for table in (shared, same_table, appendix.rates(study), appendix.diverged(study)) if table]
    written: dict[str, bytes] = {}
    drawn = []
    drawings = [(panel.draw, panel.heights[narrow], not narrow) for panel in panels for narrow in (False, True)]
    figures = iter(render_all(drawings, processes))
    for panel, wide, narrow in zip(panels, figures, figures, strict=True):
        written |= {f"figures/{panel.slug}.{kind}": content for kind, content in wide.items()}
        markup = [Markup(inline(f["svg"], f"{panel.slug}-{w}")) for f, w in ((wide, "w"), (narrow, "n"))]
        drawn.append(Drawn(panel, *markup))
    for table in [*(t for panel in panels for t in panel.tables), *extra]:
        written |= _files(table)
    settings = study.results.settings
    found = verdict(study)
    page = environment().get_template("page.html.jinja").render(
        generator="headstart report",
        title=settings.get("title") or settings.get("name") or Path(os.path.realpath(directory)).name,
        folder=shlex.quote(Path(os.path.realpath(directory)).name),
        again=shlex.quote(f"{Path(os.path.realpath(directory)).name}-again"),
        file=shlex.quote(f"{Path(os.path.realpath(directory)).name}/study.yaml"),
        study=study,
        verdict=found,
        consequences=consequences(study, found, panels),
        drawn=drawn,
        absent=[panel for panel in built if not isinstance(panel, Panel)],
        swatches=[(start, STARTS.index(style(study.starts, start))) for start in study.starts],
        settings=appendix.settings(study),
        shared=shared,
        shares=shared_out(study, found),
        differed=same_table,
        same=same,
        trained=appendix.trained(study),
        rates=appendix.rates(study),
        tuned=tuned,
        diverged=appendix.diverged(study),
        lost=listed(f"{count(n, 'run')} {status}" for status, n in appendix.lost(study).items()),
        edges=appendix.edges(study),
        unmeasured=appendix.unmeasured(study),
        few_seeds=appendix.few_seeds(study),
        unlearned=appendix.unlearned(study),
        missing=appendix.missing(study),
        yaml=yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True),
        rows_shown=ROWS_SHOWN,
    )  # fmt: skip
    written["report.html"] = page.encode()
    ours.replace(directory, written, SUMS)  # the page last
    return directory / "report.html"


def refuse_changed(directory: Path) -> None:
    """Refuse a folder in which files of its report were changed: better before a study is run than after.

    Raises:
        HeadstartError: one was.
    """
    ours.refuse_changed(directory, SUMS)


def consequences(study: Study, found: Verdict, panels: list[Panel]) -> list[str]:
    """What the rules say of the start and pair that the verdict names (or leans to)."""
    start = found.where.start or study.starts[0]
    best = standing(study, start)
    if best.best is None:
        return []
    pair = best.pairs[best.best]
    said = [
        what_it_costs(study, start, pair),
        when_it_would_flip(study, start, pair),
        what_is_open(study, start, panels),
    ]
    return [sentence for sentence in said if sentence]


def shared_out(study: Study, found: Verdict) -> str:
    """How accuracy is shared out at the best pair of the start that the verdict names (or leans to)."""
    best = standing(study, found.where.start or study.starts[0])
    return "" if best.best is None else shares.told(study, best.pairs[best.best])


def environment() -> jinja2.Environment:
    """Templates in which everything that a study brings is text, and the style sheet is at hand."""
    here = "headstart.report.pages"
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(here, "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    style_sheet = resources.files(here).joinpath("page.css")
    made.globals["css"] = Markup(style_sheet.read_text(encoding="utf-8"))
    made.filters["cell"] = show
    made.filters["p_text"] = p_text
    made.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    return made


def show(value: Any, percent: bool = False) -> str:
    """A table's cell as text.

    >>> show(0.97123, percent=True), show(0.000123), show(None), show(12.0), show(True)
    ('97.1%', '0.000123', '–', '12', 'yes')
    """
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{100 * value:.1f}%".replace("-", "\u2212") if percent else size(value)
    return str(value)


def _files(table: Table) -> dict[str, bytes]:
    parquet = io.BytesIO()
    pq.write_table(table.arrow(), parquet)
    return {
        f"tables/{table.slug}.csv": csv_text(table.columns, end="\r\n"),
        f"tables/{table.slug}.parquet": parquet.getvalue(),
        f"tables/{table.slug}.tex": table.latex().encode(),
    }
