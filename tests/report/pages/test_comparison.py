"""The page over several tasks: every finding of every study, judged, on common axes;
names are text.
"""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.report.figures.axes import accuracy_axes, on_common_axes
from headstart.report.figures.rendering import drawn
from headstart.report.judgement.reading import read
from headstart.report.judgement.study_names import labels
from headstart.report.pages import comparison as compare
from headstart.report.panels.base import Panel

Make = Callable[..., Path]
Parse = Callable[[str], Any]
Keep = Callable[[dict[str, Any]], bool]


@pytest.fixture(scope="module")
def folders(
    make: Make, tmp_path_factory: pytest.TempPathFactory, evil: str, few: Keep
) -> list[Path]:
    """Where all findings hold, where none does, and a study of one pair with a malicious name."""
    root = tmp_path_factory.mktemp("compare")
    return [
        make(root / "clear", "clear", task="digits"),
        make(
            root / "contrary",
            "contrary",
            task="cifar10",
            diverge=lambda row: row["seed"] == 1 and few(row),
        ),
        make(
            root / "small", "undecided", keep=few, seeds=(0, 1), task=evil, rename={"proxy": evil}
        ),
    ]


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> str:
    return compare.write(folders, folders[0].parent / "page.html").read_text()


def matrix(page: str) -> list[list[str]]:
    (table,) = re.findall(r'<table class="matrix">(.*?)</table>', page, re.DOTALL)
    cells = [
        re.findall(r'class="judgement">.*?</span> ([\w ]+)</span>', row)
        for row in table.split("<tr>")[2:]
    ]
    return [list(row) for row in cells]


def test_every_finding_is_judged_for_every_task(page: str) -> None:
    rows = matrix(page)
    assert len(rows) == 9
    first = [row[0] for row in rows]
    # See conftest: gd is 3.5 points lower.
    assert first == ["holds"] * 7 + ["does not show"] + ["does not hold"]
    assert {row[1] for row in rows[:7]} >= {"does not hold"}
    # One pair, one setting: 1, 2, 3, 4 and 9.
    assert [row[2] for row in rows].count("not asked") == 5
    for number in range(1, 10):
        assert re.search(rf"<h2 [^>]*>{number}\. ", page)


def test_a_model_that_a_program_gave_goes_by_its_name(
    make: Make, tmp_path: Path, few: Keep
) -> None:
    net = f"python(name='my net', sha256='{64 * '0'}')"
    text = compare.write(
        [make(tmp_path / "out", keep=few, model=net)], tmp_path / "page.html"
    ).read_text()
    assert (
        'title="python(name=&#39;my net&#39;, sha256=&#39;000000000000...&#39;)">my net</span>, 6 '
        "runs" in text
    )
    assert 64 * "0" not in text
    assert compare.names_of([{"task": net, "model": "a"}, {"task": net, "model": "b"}]) == [
        "my net, a",
        "my net, b",
    ]


def test_a_study_without_a_finding_says_what_it_would_need(page: str) -> None:
    assert "Needs runs on iid clients beside others, with all else equal." in page


def test_the_verdicts_stand_first_with_their_gain_and_cautions(page: str) -> None:
    top = page[: page.index('class="finding"')]
    assert top.count('<article class="verdict"') == 3
    assert len(re.findall(r"points \[[^]]+\]", top)) >= 3
    assert "runs diverged" in top
    assert "Two seeds give very wide intervals" in top
    assert page.index('id="verdicts"') < page.index('id="ranking"') < page.index('id="matrix"')


def test_the_page_is_whole_and_names_are_text(page: str, parse: Parse) -> None:
    tags = parse(page)
    assert tags.open == []
    assert page.count("<script") == 1
    assert "&lt;script&gt;" in page
    ids = [attrs["id"] for _, attrs in tags.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs.get("href") or "" for tag, attrs in tags.found if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(link.startswith(("#", "https://arxiv.org/abs/")) for link in links)
    levels = [int(tag[1]) for tag, _ in tags.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    pictures = [
        attrs.get("aria-label") or "" for _, attrs in tags.found if attrs.get("role") == "img"
    ]
    assert len(pictures) == 9 + 9 + 4
    assert all(picture.endswith(".") for picture in pictures)


def test_the_same_folders_give_the_same_page(
    folders: list[Path], page: str, tmp_path: Path
) -> None:
    assert compare.write(folders, tmp_path / "deep/again.html").read_text() == page


@pytest.mark.parametrize(
    "slug", ["speedup", "local-epochs", "devices", "initial-loss", "gd-vs-sgd"]
)
def test_accuracies_of_a_finding_share_a_scale(folders: list[Path], slug: str) -> None:
    panels = [e.panel for f in folders[:2] for e in read(f).findings if e.panel.slug == slug]
    draws = [(panel.draw, panel.heights[1]) for panel in panels if isinstance(panel, Panel)]

    def limits(draw: Any, height: float) -> set[tuple[float, ...]]:
        with drawn(draw, height, wide=False) as figure:
            return {tuple(axis.get_view_interval().tolist()) for axis in accuracy_axes(figure)}

    alone = [limits(*each) for each in draws]
    shared = [
        limits(again, height)
        for again, (_, height) in zip(on_common_axes(draws), draws, strict=True)
    ]
    assert alone[0] != alone[1]
    assert shared[0] == shared[1]
    (common,) = shared[0]
    assert all(common[0] <= low and high <= common[1] for low, high in set().union(*alone))


def test_a_label_says_no_more_than_tells_studies_apart() -> None:
    assert labels([("digits", "mlp", "A"), ("cifar10", "cnn", "B")]) == ["digits", "cifar10"]
    assert labels([("digits", "mlp", "A"), ("digits", "mlp", "")]) == ["A", "digits, mlp"]


def test_studies_go_by_title_or_name_or_the_kind_of_task() -> None:
    task = (
        "table(path='rows.csv', label='species', client='hospital', features=('a', 'b', 'c', "
        "'d'), seed=3)"
    )
    one = {"task": task, "model": "mlp", "title": "Wards", "name": "w"}
    assert compare.names_of([one]) == ["Wards"]
    assert compare.names_of([{**one, "title": ""}]) == ["w"]
    assert compare.names_of([{**one, "title": "", "name": "study"}]) == ["table"]
    assert compare.names_of(
        [{**one, "title": ""}, {"task": "digits", "title": "", "name": "study"}]
    ) == ["w", "digits"]
    same = {**one, "title": "", "name": "study"}
    assert compare.names_of([same, {**same, "model": "cnn"}]) == ["table, mlp", "table, cnn"]
    assert compare.names_of([same, same]) == ["table, mlp (1)", "table, mlp (2)"]


def test_a_folder_that_is_no_study_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"runs\.parquet: not found; expected the folder"):
        compare.write([tmp_path], tmp_path / "page.html")


def test_torch_is_never_imported(folders: list[Path], tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from headstart.report.pages import comparison;"
        "from headstart.report.publication import findings_page, folder;"
        "study, into = map(pathlib.Path, sys.argv[1:]);"
        "comparison.write([study], into / 'page.html'); folder.publish(study, into / 'kept');"
        "findings_page.block(findings_page.read([into]), into);"
        "print(sorted({'torch', 'scipy.stats', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(folders[2]), str(tmp_path)]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize(
    ("name", "said"), [("study.yaml", "expected a page .html"), ("mine.html", "is not a page of")]
)
def test_files_of_others_are_kept(
    folders: list[Path], tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(HeadstartError, match=said):
        compare.write(folders[2:], tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


def test_a_page_of_ours_is_replaced(page: str, folders: list[Path]) -> None:
    path = folders[0].parent / "small.html"
    path.write_text(page)
    assert compare.write(folders[2:], path).read_text() != page


def test_studies_are_called_by_their_titles_where_these_tell_them_apart(
    make: Make, tmp_path: Path, few: Keep, evil: str
) -> None:
    titles = ("Letters of five alphabets", f"Köln {evil}")
    made = [
        make(tmp_path / str(i), keep=few, seeds=(0, 1), title=title, task="table(path='a.csv')")
        for i, title in enumerate(titles)
    ]
    page = compare.write(made, tmp_path / "page.html").read_text()
    assert "<h1>Where to begin: Letters of five alphabets and Köln &lt;script&gt;" in page
    assert '<th scope="col">Letters of five alphabets</th>' in page
    assert page.count("<script") == 1


def test_a_page_that_only_speaks_of_us_is_not_ours(folders: list[Path], tmp_path: Path) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<p>made by hand, as headstart compare does</p>")
    with pytest.raises(HeadstartError, match="is there and is not a page of `headstart compare`"):
        compare.write(folders[:2], mine)
    assert mine.read_text().startswith("<p>made by hand")
