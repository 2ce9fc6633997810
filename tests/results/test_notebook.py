"""What a notebook shows: a page in a window without scripts, and names as text."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.results.notebook import ROWS, Page, results_as_html


def test_a_page_stands_for_its_path_and_runs_no_script(tmp_path: Path) -> None:
    page = Page(tmp_path / "report.html")
    page.path.write_text('<p title="a">one</p>')
    assert (str(page), Path(page)) == (str(page.path), page.path)
    shown = page._repr_html_()
    assert shown.startswith('<iframe sandbox="" ')
    assert 'srcdoc="&lt;p title=&#34;a&#34;&gt;one&lt;/p&gt;"' in shown
    page.path.unlink()
    with pytest.raises(HeadstartError, match=r"report\.html cannot be read"):
        page._repr_html_()


def test_names_are_text_and_only_the_first_rows_are_shown() -> None:
    said = SimpleNamespace(claim="Begin from <b>", evidence="by 3 points")
    found: Any = SimpleNamespace(where=said, which=said, headlines=["Nothing <i>"])
    rows = [(f"start {i}", "<script>", "90 %") for i in range(ROWS + 3)]
    shown = results_as_html("a study. of many words", found, rows)
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == ROWS
    assert "<p>and 3 more</p>" in shown
    assert "Begin from &lt;b&gt;." in shown
    assert "<p>a study</p>" in shown
