"""The page of findings: one table a finding, from what was published, between its marks;
and docs/findings.md is it.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.report.publication.findings_page import AT_A_GLANCE, MARKS, block, read, write
from headstart.report.publication.folder import publish
from headstart.report.publication.summary import NAME

Make = Callable[..., Path]
Keep = Callable[[dict[str, Any]], bool]
DOCS = Path(__file__).parents[3] / "docs"
AROUND = f"# Mine\n\nBefore.\n{MARKS[0]}\nold\n{MARKS[1]}\n\nAfter.\n"


@pytest.fixture(scope="module")
def results(make: Make, tmp_path_factory: pytest.TempPathFactory, few: Keep) -> Path:
    root = tmp_path_factory.mktemp("results")
    publish(make(root / "a", task="digits"), root / "docs/results/digits")
    publish(make(root / "b", "contrary", task="cifar10"), root / "docs/results/cifar10")
    publish(make(root / "c", keep=few, seeds=(0,), task="a|<b>"), root / "docs/results/own")
    (root / "docs/findings.md").write_text(AROUND)
    return root / "docs/results"


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return write([results], results.parent / "findings.md").read_text()


def test_what_stands_around_the_marks_stays(page: str) -> None:
    assert page.startswith(f"# Mine\n\nBefore.\n{MARKS[0]}\n")
    assert page.endswith(f"{MARKS[1]}\n\nAfter.\n")
    assert "\nold\n" not in page


def test_each_study_says_how_it_was_set_up(page: str) -> None:
    lines = page[page.index("## How each was set up") : page.index("## All findings")].splitlines()
    rows = [line for line in lines if line.startswith("| [")]
    assert len(rows) == 3
    assert all("not tuned: those of the study file" in line for line in rows)
    assert all("| its own |" in line for line in rows)  # no name that `headstart paper` gives


def test_marks_are_explained_where_they_stand(results: Path, tmp_path: Path) -> None:
    found = json.loads((results / "digits" / NAME).read_text())
    found["unlearned"] = ["random"]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_text(json.dumps(found))
    page = block(read([tmp_path]), tmp_path)
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[3:]
    for section in sections:  # the matrix, then the findings: a mark in a table has its line below
        for mark in ("†", "‡"):
            assert any(mark in line for line in section.splitlines() if line[:1] == "|") == (
                f"\n{mark} the " in section
            )
    assert "**holds** † ‡ |" in sections[0]
    assert "| holds † ‡ |" in sections[2]


def test_a_second_time_changes_nothing(results: Path, page: str) -> None:
    assert write(sorted(results.iterdir()), results.parent / "findings.md").read_text() == page


def test_every_finding_has_the_papers_words_and_a_row_a_task(page: str) -> None:
    sections = re.split(r"^## Finding \d: ", page, flags=re.MULTILINE)[1:]
    assert len(sections) == 9
    for section in sections:
        rows = re.findall(r"^\| \[.*$", section, re.MULTILINE)
        assert len(rows) == 3
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
        assert re.search(
            r"^\*\*Here:\*\* .*(holds|hold|show|undecided|not asked) on ", section, re.MULTILINE
        )
    assert "661.99 / 4843.13" in sections[4]
    assert "holds on digits; does not hold on cifar10" in sections[1]
    assert re.search(r"\| holds \| \+\d+\.\d points \\\[\+", sections[1])
    assert re.search(r"\| does not hold \| −\d+\.\d points", sections[1])
    assert re.search(r"\] \| p (= 0\.0|&lt; 0\.001)", sections[1])
    assert "| not asked |  |  |  |" in sections[1]


def test_judgements_that_stand_among_all_are_bold(results: Path, page: str) -> None:
    for folder in ("digits", "cifar10"):
        published = json.loads((results / folder / NAME).read_text())["findings"]
        column = {"cifar10": 1, "digits": 2}[folder]
        for finding in published:
            line = next(
                line for line in page.splitlines() if line.startswith(f"| {finding['number']}. ")
            )
            bold = line.split(" | ")[column].strip("| ").startswith("**")
            assert bold == (finding["p_holm"] is not None and finding["p_holm"] < 0.05)


def test_numbers_of_seeds_are_told_and_too_few_are_a_caution(page: str) -> None:
    assert re.search(r"\| 3 \|$", page, re.MULTILINE)
    assert "Caution: One seed gives no interval" in page


def test_links_lead_to_what_was_published(results: Path, page: str) -> None:
    targets = set(re.findall(r"\]\((?!http)([^)]+)\)", page))
    assert targets == {f"results/{name}/README.md" for name in ("digits", "cifar10", "own")}


def test_names_are_text(page: str) -> None:
    assert r"a\|&lt;b>" in page


def test_a_page_that_opens_with_the_answers_has_them_once_and_a_picture_beside(
    results: Path, tmp_path: Path
) -> None:
    page = tmp_path / "mine.md"
    page.write_text(f"{AT_A_GLANCE[0]}\n{AT_A_GLANCE[1]}\n{AROUND}")
    text = write([results], page).read_text()
    assert "](mine.png)" in text
    assert "of 27 cells are decided" in text
    assert "## All findings" not in text
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    assert write([results], page).read_text() == text
    (tmp_path / "mine.png").write_bytes(b"of somebody else")
    with pytest.raises(HeadstartError, match="is not a picture that `headstart findings` drew"):
        write([results], page)


def test_without_results_it_says_so(tmp_path: Path) -> None:
    assert "No results are published yet." in block(read([tmp_path]), tmp_path)


@pytest.mark.parametrize("text", ["", f"{MARKS[0]} but no end", f"{MARKS[1]} {MARKS[0]}"])
def test_a_page_without_marks_is_left_alone(text: str, results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(HeadstartError, match="expected the marks"):
        write([results], page)
    assert page.read_text() == text


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 99}'])
def test_a_damaged_file_is_one_line(damage: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(damage)
    with pytest.raises(HeadstartError, match="damaged or of another version"):
        read([tmp_path])


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match="not found"):
        read([tmp_path / "results*"])


def test_the_page_in_docs_is_what_its_command_writes(tmp_path: Path) -> None:
    page = (DOCS / "findings.md").read_text(encoding="utf-8")
    _, begin, rest = page.partition(MARKS[0])
    written, end, _ = rest.partition(MARKS[1])
    assert begin
    assert end
    expected = block(read([DOCS / "results"]), DOCS, has_glance=True)
    assert written == f"\n{expected}", "run: make results"


def test_what_was_published_and_changed_since_is_refused(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "own", tmp_path / "own")
    path = tmp_path / "own" / NAME
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(HeadstartError, match="was changed since it was written"):
        read([tmp_path])


def test_line_ends_of_the_page_stay_and_links_and_other_letters_are_refused(
    results: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_bytes(AROUND.replace("\n", "\r\n").encode())
    write([results], page)
    assert page.read_bytes().replace(b"\r\n", b"").count(b"\n") == 0
    (tmp_path / "link.md").symlink_to(page)
    with pytest.raises(HeadstartError, match="is a link"):
        write([results], tmp_path / "link.md")
    page.write_bytes(AROUND.encode() + b"K\xf6ln")
    with pytest.raises(HeadstartError, match="UTF-8"):
        write([results], page)
