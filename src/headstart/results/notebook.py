"""How results show themselves in a notebook: as text, never as markup that a name brought along."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from headstart.errors import HeadstartError
from headstart.report.figures.rendering import PAPER, SETTINGS, WIDTHS
from headstart.report.panels.base import Panel
from headstart.report.verdict.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 8
"""Of the table below a verdict; the report has all."""

PAGE_HEIGHT = 720
"""Pixels of the window onto a report in a notebook."""


@dataclass(frozen=True)
class Page(os.PathLike[str]):
    """The page of a report. In a notebook it shows itself in a window of its own, in which no
    script runs.
    """

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise HeadstartError(f"{self.path} cannot be read: {error}") from None
        style = "width: 100%; height: {}px; border: 1px solid #ccc"
        frame = f'<iframe sandbox="" style="{style}" srcdoc="{{}}"></iframe>'
        return str(Markup(frame).format(PAGE_HEIGHT, text))


def results_as_html(title: str, found: Verdict, rows: Sequence[tuple[str, str, str]]) -> str:
    """The verdict, and a small table of (start, pair, accuracy)."""
    cells = Markup("").join(
        Markup("<tr><td>{}</td><td>{}</td><td>{}</td></tr>").format(*row) for row in rows[:ROWS]
    )
    more = Markup("<p>and {} more</p>").format(len(rows) - ROWS) if len(rows) > ROWS else Markup("")
    head = Markup("<tr><th>start</th><th>pair</th><th>accuracy</th></tr>")
    table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, cells)
    said = Markup("<p><b>{}</b> {}</p><p><b>{}</b> {}</p>").format(
        f"{found.where.claim}.", found.where.evidence, f"{found.which.claim}.", found.which.evidence
    )
    first = Markup("").join(map(Markup("<p><b>{}</b></p>").format, found.headlines))
    body = Markup("").join((first, said, table, more))
    return str(Markup("<div>{}<p>{}</p></div>").format(body, title.split(". ")[0]))


def drawn(panel: Panel, wide: bool) -> "Figure":
    """The panel's figure in the report's theme, as matplotlib has it; a notebook shows it without
    pyplot too.
    """
    import matplotlib
    from matplotlib.figure import Figure

    class Shown(Figure):
        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=150)
            return buffer.getvalue()

    with matplotlib.rc_context(SETTINGS):
        figure = Shown(
            figsize=(WIDTHS[wide], panel.heights[not wide]), facecolor=PAPER, edgecolor=PAPER
        )
        panel.draw(figure, wide)
    return figure
