"""The templates of the pages, in which everything that a study brings is text.

A page runs one script, ours, and its policy (Content Security Policy Level 3, W3C) names the sha256
of that: no other would run, whatever a study brings, and nothing is fetched.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from headstart.report.pages.long_names import shortening
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import MINUS, p_text, size
from headstart.report.words.remarks import capital
from headstart.report.words.written_parts import by_name, shortened

HERE = "headstart.report.pages"


def environment(grids: Sequence[Grid]) -> jinja2.Environment:
    """The templates of a page on these studies, with the style sheet at hand."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(HERE, "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    script = _file("page.js")
    made.globals["css"] = Markup(_file("page.css"))
    made.globals["script"] = Markup(script)
    made.globals["policy"] = policy(script)
    made.filters["cell"] = show
    made.filters["p_text"] = p_text
    made.filters["method"] = method
    made.filters["capital"] = capital
    made.filters["by_name"] = by_name
    made.filters["named"] = shortening(grids)
    made.filters["shortened"] = shortened
    return made


def policy(script: str) -> str:
    """The policy of a page with this script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style, images = "style-src 'unsafe-inline'", "img-src data:"
    return f"default-src 'none'; {style}; {images}; script-src 'sha256-{digest}'"


def _file(name: str) -> str:
    return resources.files(HERE).joinpath(name).read_text(encoding="utf-8")


def show(value: Any, percent: bool = False) -> str:
    """Write a table's cell as text.

    >>> show(0.97123, percent=True), show(0.000123), show(None), show(12.0), show(True)
    ('97.1%', '0.000123', '–', '12', 'yes')
    """
    if value is None or value != value:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{100 * value:.1f}%".replace("-", MINUS) if percent else size(value)
    return str(value)
