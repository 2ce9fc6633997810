"""CONTRIBUTING.md is true: the files that it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", TEXT)))
TOUR = re.findall(r"^\d\. `([a-z_/]+\.py)`: ", TEXT, re.MULTILINE)
ROOMS = re.findall(r"^([a-z_, ]+?)  +\S", TEXT.partition("```\n")[2].partition("```")[0], re.MULTILINE)
MADE_UP = {"clients/clipped.py"}
"""The example of a file that somebody would add."""


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_it_names_is_there(file: str) -> None:
    assert (ROOT / "src" / "headstart" / file).exists() == (file not in MADE_UP)


def test_it_names_files_of_every_kind() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("line", ROOMS)
def test_a_room_that_it_names_is_there(line: str) -> None:
    for name in filter(None, line.replace(" ", "").split(",")):
        place = ROOT / "src" / "headstart" / name
        assert place.is_dir() or place.with_suffix(".py").exists(), name


def test_the_tour_has_six_files_from_a_call_to_a_gradient() -> None:
    assert (len(TOUR), TOUR[0], TOUR[-1].partition("/")[0]) == (6, "simulation.py", "clients")
    lines = [(ROOT / "src" / "headstart" / file).read_text().count("\n") for file in TOUR]
    assert sum(lines) < 1300
