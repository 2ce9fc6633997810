"""The map of the page, and that of a study's folder, name modules that are there."""

import re
from pathlib import Path

import pytest

import headstart.report
import headstart.study.folder

PACKAGE = Path(headstart.report.__file__).parents[1]
PAGE = PACKAGE / "report" / "pages" / "page.html.jinja"
MAP = str(headstart.report.__doc__)


@pytest.mark.parametrize("module", re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", MAP))
def test_a_module_of_the_page_is_there(module: str) -> None:
    place = PACKAGE / "report" / module.replace(".", "/")
    assert place.is_dir() or place.with_suffix(".py").exists()


def test_each_heading_of_the_page_is_in_its_map() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"<(?:h2|h3|dt)[^>]*>([A-Z][^<{]+)</", page)
    assert len(headings) > 10
    known = {"Verdict", "Method and sources"}  # the whole of it, and text of the template itself
    assert [one for one in headings if one not in MAP and one not in known] == []


@pytest.mark.parametrize(
    "module", sorted(set(re.findall(r"`(\w+)`  ", str(headstart.study.folder.__doc__))))
)
def test_a_module_of_the_folder_is_there(module: str) -> None:
    assert list((PACKAGE / "study").rglob(f"{module}.py"))
