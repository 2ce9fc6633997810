"""CONTRIBUTING.md is true, and so are the other pages: the files that they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", TEXT)))
TOUR = re.findall(r"^\d\. `([a-z_/]+\.py)`: ", TEXT, re.MULTILINE)
ROOMS = re.findall(
    r"^([a-z][a-z_, ]*?)  +\S", TEXT.partition("```\n")[2].partition("```")[0], re.MULTILINE
)
REGISTRY = re.compile(r"^([A-Z_]+): Registry\[.+\] = Registry\(", re.MULTILINE)
MADE_UP = {"clients/clipped.py"}
"""The example of a file that somebody would add."""


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_it_names_is_there(file: str) -> None:
    assert (ROOT / "src" / "headstart" / file).exists() == (file not in MADE_UP)


CODE = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("[sdtb]*/**/*.py")]
"""Every module of the repository: `src`, `docs`, `tests`, `benchmarks`."""
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "docs").glob("decisions/*.md"),
]
OF_THE_READER = {
    "client_app.py", "my_model.py", "net.py", "pandas.py", "server_app.py", "study.py",
    "typing.py",
}  # fmt: skip
"""What a page has somebody write."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_module_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", page.read_text(encoding="utf-8")))
    for name in sorted(named - OF_THE_READER):
        assert any(f"/{path}".endswith(f"/{name}") for path in CODE), name


def test_what_the_check_of_a_stranger_runs_is_there() -> None:
    named = re.findall(
        r"\btests/[\w/]+(?:\.py)?", (ROOT / ".ci" / "stranger").read_text(encoding="utf-8")
    )
    assert len(named) > 8
    for name in named:
        assert (ROOT / name).exists(), name


def test_it_names_files_of_every_kind() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("line", ROOMS)
def test_a_room_that_it_names_is_there(line: str) -> None:
    for name in filter(None, line.replace(" ", "").split(",")):
        place = ROOT / "src" / "headstart" / name
        assert place.is_dir() or place.with_suffix(".py").exists(), name


def test_each_registry_has_its_decorator_in_it() -> None:
    named = set(re.findall(r"`@([A-Z_]+)\.register`", TEXT))
    sources = (ROOT / "src").rglob("*.py")
    defined = {
        name for path in sources for name in re.findall(REGISTRY, path.read_text(encoding="utf-8"))
    }
    assert named == defined


def test_each_room_has_a_line_in_it() -> None:
    named = {name for line in ROOMS for name in line.replace(" ", "").split(",")}
    rooms = {path.name for path in (ROOT / "src" / "headstart").iterdir() if path.is_dir()}
    assert rooms - {"__pycache__"} <= named


def test_the_tour_has_six_files_from_a_call_to_a_gradient() -> None:
    assert (len(TOUR), TOUR[0], TOUR[-1].partition("/")[0]) == (6, "simulation.py", "clients")
    lines = [(ROOT / "src" / "headstart" / file).read_text().count("\n") for file in TOUR]
    assert sum(lines) < 1300
