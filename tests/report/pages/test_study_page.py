"""The page: self-contained, escaped, written whole, without torch."""

import base64
import hashlib
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from headstart.errors import HeadstartError
from headstart.report.appendix import completeness
from headstart.report.appendix.settings import settings
from headstart.report.judgement.reading import Reading
from headstart.report.pages import study_page as page
from headstart.report.runs import records as tables
from headstart.report.runs.sorting import sort

from ..conftest import rewrite

MakeStudy = Callable[..., Path]
Parse = Callable[[str], Any]
Keep = Callable[[dict[str, Any]], bool]


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, evil: str
) -> Path:
    """One report of a malicious study, for the tests that only read."""
    make = request.getfixturevalue("make")
    folder = make(
        tmp_path_factory.mktemp("page"),
        title=evil,
        name=evil,
        rename={"proxy": evil, "nova": f"nova({evil})"},
    )
    page.write(folder)
    return folder


def test_files_are_there_and_tables_agree(written: Path) -> None:
    slugs = [
        "ranking",
        "speedup",
        "iid-gap",
        "local-epochs",
        "devices",
        "curvature",
        "alignment",
        "initial-loss",
        "gd-vs-sgd",
        "starts",
    ]
    assert {p.name for p in (written / "figures").iterdir()} == {
        f"{s}.{k}" for s in slugs for k in ("svg", "png")
    }
    for path in (written / "tables").glob("*.parquet"):
        table, text = pq.read_table(path), pyarrow.csv.read_csv(path.with_suffix(".csv"))
        assert (table.num_rows, table.column_names) == (text.num_rows, text.column_names)
    assert not list(written.rglob(".*"))  # no temporary file is left


def test_names_from_the_study_are_text(written: Path) -> None:
    text = (written / "report.html").read_text()
    assert text.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in "".join(p.read_text() for p in (written / "figures").glob("*.svg"))


def test_tags_nest_and_headings_are_in_order(written: Path, parse: Parse) -> None:
    tags = parse((written / "report.html").read_text())
    assert tags.open == []
    levels = [int(tag[1]) for tag, _ in tags.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = [attrs["id"] for _, attrs in tags.found if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched(written: Path, parse: Parse) -> None:
    text = (written / "report.html").read_text()
    for tag, attrs in parse(text).found:
        for name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
            target = attrs.get(name) or ""
            if "//" in target and not target.startswith("data:"):
                assert (tag, target.startswith("https://arxiv.org/abs/")) == ("a", True)
        assert tag not in ("img", "iframe", "object", "embed")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_no_script_runs_but_ours(written: Path, parse: Parse) -> None:
    """The policy stands before whatever a study brings, and names the sha256 of the one script."""
    text = (written / "report.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script == resources.files("headstart.report.pages").joinpath("page.js").read_text()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policies = [
        attrs for tag, attrs in parse(text).found if tag == "meta" and "http-equiv" in attrs
    ]
    assert policies == [
        {
            "http-equiv": "Content-Security-Policy",
            "content": (
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src "
                f"'sha256-{digest}'"
            ),
        }
    ]
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_the_verdict_may_break_in_print_and_its_study_file_comes_last() -> None:
    style = resources.files("headstart.report.pages").joinpath("page.css").read_text()
    printed = style[style.index("@media print") :]
    whole = re.findall(r"([^{}]+){ break-inside: avoid; }", printed)
    parts = [part.strip() for rule in whole for part in rule.split(",")]
    assert ".verdict" not in parts  # its box may be longer than a sheet, and then begins a new one
    assert ".said div" in parts
    assert ".verdict:has(.first) > details { order: 1; }" in printed


def test_local_links_lead_somewhere(written: Path, parse: Parse) -> None:
    tags = parse((written / "report.html").read_text())
    ids = {attrs.get("id") for _, attrs in tags.found}
    for tag, attrs in tags.found:
        target = attrs.get("href") or ""
        if tag == "a" and target.startswith("#"):
            assert target[1:] in ids
        elif tag == "a" and "//" not in target:
            assert (written / target).is_file()


def test_every_figure_has_a_sentence_in_its_place(written: Path, parse: Parse) -> None:
    tags = parse((written / "report.html").read_text())
    labels = [attrs.get("aria-label") for _, attrs in tags.found if attrs.get("role") == "img"]
    assert len(labels) == 20  # the picture and nine panels, two layouts
    assert all(label and label.endswith(".") for label in labels)
    assert ("html", {"lang": "en"}) in tags.found


@pytest.mark.parametrize(
    "options",
    [
        {"starts": ("proxy",)},
        {"starts": ("random", "a", "b", "c", "d", "e", "f")},
        {"diverge": lambda row: True},
        {"diverge": lambda row: row["seed"] == 1},
        {"keep": lambda row: row["start"] == "random" or row["client"] == "gd"},
        {
            "keep": lambda row: (
                row["start"] == "random" or (row["seed"] == 0 and row["local_epochs"] == 1)
            )
        },
        {"keep": lambda row: (row["start"] == "random") == (row["client"] == "sgd")},
        {"target_accuracy": None, "seeds": (7,), "title": None, "evaluate_on": "validation"},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_shape_of_study_gives_a_page(
    study: MakeStudy, options: dict[str, Any], parse: Parse
) -> None:
    text = page.write(study("clear", **options)).read_text()
    assert parse(text).open == []
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().split()


def test_an_open_question_says_how_to_add_seeds(study: MakeStudy, few: Keep) -> None:
    folder = study(keep=few, seeds=(0, 1))
    panels = page.write(folder).read_text().split('<section class="panel"')[1:]
    is_open = [
        bool(re.search(r"would decide this|seeds would be needed|run three or more", panel))
        for panel in panels
    ]
    assert set(is_open) == {True, False}
    assert is_open == [
        f"add <code>seeds</code> to {folder.name}/study.yaml" in panel for panel in panels
    ]


def test_a_study_that_a_program_gave_is_repeated_by_that_program(
    study: MakeStudy, few: Keep
) -> None:
    folder = study(keep=few, seeds=(0, 1), model=f"python(name='my net', sha256='{64 * '0'}')")
    text = page.write(folder).read_text()
    said = (
        f"A Python program gave this study my net, which {folder.name}/study.yaml names and "
        "does not hold: run that"
    )
    assert said in text
    assert "headstart run" not in text
    assert f"add <code>seeds</code> to {folder.name}/study.yaml" not in text


def test_the_command_allows_the_modules_that_lie_elsewhere(study: MakeStudy, few: Keep) -> None:
    text = page.write(study(keep=few, model="far.away:net")).read_text()
    assert "headstart run clear/study.yaml --out clear-again --allow far.away\n" in text


def test_rates_are_listed_only_for_a_tuning(study: MakeStudy, written: Path) -> None:
    folder = page.write(study("tuning")).parent
    rates = pq.read_table(folder / "tables/rates.parquet")
    # Two rates for each of the base cells.
    assert sum(rates["used"].to_pylist()) * 2 == rates.num_rows
    assert not (written / "tables/rates.csv").exists()


def test_diverged_runs_are_listed(study: MakeStudy) -> None:
    text = page.write(
        study(diverge=lambda row: row["client"] == "mimelite" and row["seed"] == 0)
    ).read_text()
    assert "6 runs diverged" in text  # three servers, two starts
    assert 'id="diverged"' in text


def test_a_run_that_failed_is_counted_and_said_to_have_failed(study: MakeStudy, few: Keep) -> None:
    folder = study(keep=few, diverge=lambda row: row["seed"] == 0)
    found = tables.read(folder)
    why = "model: own:net returned None"
    sliced = sort(replace(found, failed={"a": why, "b": why}))
    assert completeness.lost(sliced) == {"diverged": 2, "failed": 2}
    assert (
        f"Not in the numbers, as they failed: 2 runs ({why})."
        in Reading(folder, sliced).cautions.sentences
    )
    said = "2 of 6 runs diverged; a pair with one has no mean and ranks last."
    assert said in Reading(folder, sliced).cautions.sentences


def test_time_that_is_added_up_says_so(study: MakeStudy, few: Keep) -> None:
    said = dict(settings(sort(tables.read(study(keep=few)))))["time of computing"]
    assert said == "4 s, added up over all runs (several are computed at the same time)"


def test_a_second_report_leaves_nothing_stale_and_deletes_nothing_of_others(
    study: MakeStudy, few: Keep
) -> None:
    folder = study(keep=few)
    shown = page.write(folder).read_bytes()
    texts = {
        "figures/old.svg": "old",
        "figures/mine.svg": "mine",
        "tables/old.tex": "changed by hand",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    digest = hashlib.sha256(b"old").hexdigest()
    with (folder / page.SUMS).open("a") as sums:
        sums.write(f"{digest}  figures/old.svg\n{digest}  tables/old.tex\n")
    assert page.write(folder).read_bytes() == shown
    assert not (folder / "figures/old.svg").exists()
    assert (folder / "figures/mine.svg").read_text() == "mine"
    assert (folder / "tables/old.tex").read_text() == "changed by hand"
    checked = subprocess.run(["sha256sum", "-c", "--quiet", page.SUMS], cwd=folder, check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize("name", ["figures", "tables", "report.html", page.SUMS])
def test_nothing_is_written_through_a_link(
    study: MakeStudy, few: Keep, tmp_path: Path, name: str
) -> None:
    folder, other = study(keep=few), tmp_path / "other"
    other.mkdir()
    (other / "mine.svg").write_text("mine")
    (folder / name).symlink_to(other if name in ("figures", "tables") else other / "mine.svg")
    with pytest.raises(HeadstartError, match=f"{name} is a link"):
        page.write(folder)
    assert [(path.name, path.read_text()) for path in other.iterdir()] == [("mine.svg", "mine")]
    assert not (folder / "figures/ranking.svg").exists()


def test_a_folder_for_a_page_and_a_page_changed_by_hand_are_refused(
    study: MakeStudy, few: Keep
) -> None:
    folder = study(keep=few)
    (folder / "report.html").mkdir()
    with pytest.raises(
        HeadstartError, match=r"report\.html is there, and headstart did not write it"
    ):
        page.write(folder)
    (folder / "report.html").rmdir()
    page.write(folder).write_text("my notes")
    with pytest.raises(HeadstartError, match=r"report\.html .* changed since"):
        page.refuse_changed(folder)
    with pytest.raises(HeadstartError, match=r"report\.html .* changed since"):
        page.write(folder)
    assert (folder / "report.html").read_text() == "my notes"


def test_a_page_whose_list_is_lost_is_refused_before_a_study_is_run_again(
    study: MakeStudy, few: Keep
) -> None:
    folder = study(keep=few)
    page.refuse_changed(folder)
    page.write(folder)
    page.refuse_changed(folder)
    (folder / page.SUMS).unlink()
    with pytest.raises(
        HeadstartError, match=r"report\.html is there, and headstart did not write it"
    ):
        page.refuse_changed(folder)


def test_figures_drawn_in_several_processes_are_the_same(study: MakeStudy, few: Keep) -> None:
    folders = [study(keep=few), study(keep=few)]
    for processes, folder in enumerate(folders, 1):
        page.write(folder, processes)
    one, other = (
        {path.name: path.read_bytes() for path in folder.rglob("figures/*")} for folder in folders
    )
    assert one
    assert one == other


def test_a_folder_whose_name_is_not_utf8_is_named_on_the_page(
    study: MakeStudy, few: Keep, tmp_path: Path
) -> None:
    named = tmp_path / "out\udcff"
    study(keep=few).rename(named)
    text = page.write(named).read_text(encoding="utf-8")
    assert r"out\udcff" in text


def test_a_failed_write_leaves_the_old_page(
    study: MakeStudy, monkeypatch: pytest.MonkeyPatch, few: Keep
) -> None:
    folder = study(keep=few)
    page.write(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(HeadstartError, match=r"cannot write .*: No space left on device"):
        page.write(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_file_where_a_folder_should_be_is_one_line(study: MakeStudy) -> None:
    folder = study()
    (folder / "figures").write_text("in the way")
    with pytest.raises(HeadstartError, match="figures"):
        page.write(folder)
    assert not (folder / "report.html").exists()


def test_torch_is_never_imported(study: MakeStudy) -> None:
    """Nor scipy.stats, which would take longer to import than the page to write.
    (pyarrow imports pandas if it can.)
    """
    code = (
        "import pathlib, sys; from headstart.report.pages import study_page;"
        "study_page.write(pathlib.Path(sys.argv[1]));"
        "print(sorted({'torch', 'scipy.stats', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(study())], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def top(folder: Path) -> str:
    """The text of the verdict's section, which a reader sees first."""
    text = page.write(folder).read_text()
    return re.sub(r"<[^>]+>", "", text[text.index('class="verdict"') : text.index("<nav")])


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((0,), "One seed gives no interval"),
        ((0, 1), "Two seeds give very wide intervals"),
        ((0, 1, 2), ""),
    ],
)
def test_too_few_seeds_are_said_at_the_top(
    study: MakeStudy, few: Keep, seeds: tuple[int, ...], said: str
) -> None:
    text = top(study(keep=few, seeds=seeds))
    assert said in text
    assert ("seed gives" in text or "seeds give" in text) == bool(said)


def test_missing_seeds_are_counted_at_the_top(study: MakeStudy) -> None:
    text = top(
        study(
            keep=lambda row: (
                row["client"] == "sgd" and not (row["seed"] == 2 and row["server"] == "adam")
            )
        )
    )
    # 5 settings, 2 starts.
    assert "This study is not complete: 10 runs of other seeds are missing." in text


@pytest.mark.parametrize(("planned", "said"), [(9, "6 of 9 runs have ended"), (6, ""), (None, "")])
def test_runs_that_have_not_ended_are_counted_at_the_top(
    study: MakeStudy, few: Keep, planned: int | None, said: str
) -> None:
    folder = study(keep=few)
    rewrite(folder, planned=planned)
    text = top(folder)
    assert said in text
    assert ("not complete" in text) == bool(said)


def test_a_grid_that_was_meant_to_be_uneven_is_not_called_incomplete(study: MakeStudy) -> None:
    folder = study(keep=lambda row: row["start"] == "random" or row["client"] == "sgd")
    rewrite(folder, planned=pq.read_metadata(folder / "results/runs.parquet").num_rows)
    text = top(folder)
    assert (
        "Not every start has all runs: 18 combinations of start, pair and setting without any run."
        in text
    )


def test_a_best_rate_at_the_end_of_the_grid_is_a_warning(study: MakeStudy, few: Keep) -> None:
    """Two rates were tried, so the better one is at an end."""
    folder = study("tuning", keep=few)
    assert "1 warning about the rates that were tried" in top(folder)
    text = (folder / "report.html").read_text()
    assert "The best client rate lies at an end of its range for FedAdam from random and" in text
    assert "warning" not in top(study("clear", keep=few))


def test_a_tuned_value_at_an_end_of_its_range_is_a_warning(study: MakeStudy, few: Keep) -> None:
    folder = study(keep=few)
    trial = dict.fromkeys(tables.TRIAL_COLUMNS, "x") | {
        "repeat": 0, "tied": False,
        "start": "random", "client": "sgd", "server": "adam", "local_epochs": 1, "trial": 0,
        "status": "finished", "rounds": 10, "seeds": 1, "client_rate": 3.0, "server_rate": 0.1,
        "accuracy": 0.9, "loss": 0.3, "best": True, "edge": "client_rate",
    }  # fmt: skip
    rewrite(folder, trials=pa.Table.from_pylist([trial]))
    assert "1 warning about the tuning" in top(folder)
    assert (
        "The best client rate lies at an end of its range for FedAdam from random"
        in (folder / "report.html").read_text()
    )
