"""What is kept of a study: the same bytes from the same folder, small, and true to the report."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.report.judgement.reading import read
from headstart.report.pages.study_page import page, write
from headstart.report.publication.folder import publish, tables, varying
from headstart.report.publication.markdown import escaped
from headstart.report.publication.summary import NAME
from headstart.report.written_files import PUBLISHED as SUMS

from ..conftest import rewrite

Make = Callable[..., Path]
Keep = Callable[[dict[str, Any]], bool]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def findings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / NAME).read_text())
    return found


@pytest.fixture(scope="module")
def folder(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(
        tmp_path_factory.mktemp("study"),
        diverge=lambda row: row["client"] == "mimelite" and row["seed"] == 0,
    )


@pytest.fixture(scope="module")
def kept(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(folder, tmp_path_factory.mktemp("kept") / "digits")


def test_the_same_folder_gives_the_same_bytes_and_nothing_stale(
    folder: Path, kept: Path, tmp_path: Path
) -> None:
    mine = {"tables/mine.csv": b"1", "figures/mine.png": b"2", "notes.md": b"3"}
    for name, content in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "tables/old.csv").write_text("old")
    (tmp_path / SUMS).write_text(f"{hashlib.sha256(b'old').hexdigest()}  tables/old.csv\n")
    again = contents(publish(folder, tmp_path))
    assert {name: again.pop(name) for name in mine} == mine
    assert again == contents(kept)


def test_what_is_kept_is_small(kept: Path) -> None:
    files = contents(kept)
    assert sum(map(len, files.values())) < 500_000
    assert {Path(name).suffix for name in files} == {
        ".md",
        ".json",
        ".yaml",
        ".csv",
        ".png",
        ".parquet",
        ".sha256",
    }
    assert files["study.yaml"]


def test_what_was_published_says_what_the_study_says(
    folder: Path, kept: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / folder.name
    shutil.copytree(kept, theirs)
    before, after = read(folder), read(theirs)
    assert page(after, []) == page(before, [])
    assert tables(after) == tables(before)
    assert contents(publish(theirs)) == contents(kept)


def test_the_report_of_what_was_published_goes_elsewhere(kept: Path) -> None:
    with pytest.raises(
        HeadstartError, match="was published and has pages of its own; name another folder"
    ):
        write(kept)


def test_the_runs_are_all_there(folder: Path, kept: Path) -> None:
    runs = read(folder).grid.records.runs
    rows = list(csv.DictReader((kept / "runs.csv").open()))
    assert len(rows) == len(runs)
    assert [row["status"] for row in rows] == [run.status for run in runs]
    for row, run in zip(rows, runs, strict=True):
        expected = "" if run.test_accuracy is None else run.test_accuracy
        assert row["test_accuracy"] == expected or float(row["test_accuracy"]) == pytest.approx(
            expected, rel=1e-5
        )
    # The same in all, or of no use elsewhere.
    assert not {"task", "trainable", "executor"} & rows[0].keys()


def test_the_judged_findings_are_those_of_the_report(folder: Path, kept: Path) -> None:
    found, study = findings(kept), read(folder)
    assert found["verdict"]["where"] == study.verdict.where.text
    assert [each["number"] for each in found["findings"]] == list(range(1, 10))
    for each in found["findings"]:
        judged = each["judged"]
        assert judged["n"] == 3
        # Those two have margins.
        if each["answer"] in ("yes", "no") and each["number"] not in (1, 9):
            assert (judged["low"] > 0) == (each["answer"] == "yes")
    units = {each["number"]: each["judged"]["unit"] for each in found["findings"]}
    assert (units[2], units[5], units[7]) == ("accuracy", "logarithm of the ratio", "rounds")
    assert (
        found["run"]["diverged"]
        == sum(not run.finished for run in read(folder).grid.records.runs)
        > 0
    )
    assert any("runs diverged" in caution for caution in found["cautions"])


def test_the_readme_leads_to_what_is_there_and_shows_every_finding(kept: Path) -> None:
    text = (kept / "README.md").read_text()
    targets = re.findall(r"\]\((?!http)([^)]+)\)", text)
    assert len(targets) > 15
    assert all((kept / target).is_file() for target in targets)
    assert len(re.findall(r"^\| \d \|", text, re.MULTILINE)) == 9
    assert "headstart run study.yaml --out out" in text


def test_the_command_of_the_readme_repeats_the_study(kept: Path, folder: Path) -> None:
    assert yaml.safe_load((kept / "study.yaml").read_text()) == dict(
        read(folder).grid.records.settings
    )


def test_the_readme_names_what_a_study_needs_beside_its_file(
    make: Make, tmp_path: Path, few: Keep
) -> None:
    task = (
        "table(path='rows.csv', label='y', client='site:id', tokens=\"gpt2(folder='/vocabulary')\")"
    )
    starts = ["checkpoint(path='nets/w.pt')", "hub(repo='a/b', file='model.safetensors')"]
    folder = make(
        tmp_path / "out",
        keep=few,
        task=task,
        model="nets.own:net(width=8)",
        also=[{"starts": starts}],
        devices=["far:d"],
    )
    (folder / "modules/nets").mkdir(parents=True)
    (folder / "modules/nets/__init__.py").write_text("")
    (folder / "modules/nets/own.py").write_text("def net(): ...")
    kept = publish(folder, tmp_path / "kept")
    assert (kept / "modules/nets/own.py").read_text() == "def net(): ..."
    assert " modules/nets/own.py\n" in (kept / SUMS).read_text()
    text = (kept / "README.md").read_text()
    assert "to be put in place first: `rows.csv`, `/vocabulary` and `nets/w.pt` (" in text
    assert "`modules/` has copies of the study's own modules" in text
    assert "to be installed first: the Python modules `far`." in text
    assert "\nheadstart run study.yaml --out out --allow far  " in text
    shutil.rmtree(folder / "modules")
    assert not (publish(folder, kept) / "modules/nets/own.py").exists()


def test_a_study_that_a_program_gave_is_repeated_by_that_program(
    make: Make, tmp_path: Path, few: Keep
) -> None:
    net = f"python(name='my net', sha256='{64 * '0'}')"
    text = (
        publish(make(tmp_path / "out", keep=few, model=net), tmp_path / "kept") / "README.md"
    ).read_text()
    assert (
        "A Python program gave this study `my net`, which `study.yaml` names and does not hold: "
        "run that" in text
    )
    assert "headstart run study.yaml" not in text
    assert "Task `digits`, model `my net`." in text


@pytest.mark.parametrize("name", ["README.md", "study.yaml"])
def test_files_of_a_repository_are_not_overwritten(
    make: Make, tmp_path: Path, few: Keep, name: str
) -> None:
    folder, repository = make(tmp_path / "study", keep=few), tmp_path / "repository"
    (repository / "figures").mkdir(parents=True)
    (repository / "figures/mine.png").write_bytes(b"mine")
    (repository / name).write_text("mine")
    before = contents(repository)
    with pytest.raises(HeadstartError, match=rf"{name} is there, and headstart did not write it"):
        publish(folder, repository)
    assert contents(repository) == before
    with pytest.raises(HeadstartError, match="the folder of the study itself"):
        publish(folder, folder)


def test_a_published_page_that_was_edited_is_kept(make: Make, tmp_path: Path, few: Keep) -> None:
    folder = make(tmp_path / "study", keep=few)
    kept = publish(folder, tmp_path / "kept")
    (kept / "README.md").write_text("my own words")
    with pytest.raises(HeadstartError, match=r"README\.md .* changed since"):
        publish(folder, kept)
    assert (kept / "README.md").read_text() == "my own words"


def test_names_are_text_in_markdown(make: Make, tmp_path: Path, evil: str, few: Keep) -> None:
    folder = make(
        tmp_path / "evil", keep=few, title=f"{evil} | *a* [b](c) `d`", rename={"proxy": evil},
        task=f"table(path='a`{evil}``')", model="\x1b[2Jmlp",
    )  # fmt: skip
    text = (publish(folder, tmp_path / "kept") / "README.md").read_text()
    assert (
        rf"Task <code>table(path='a\`{escaped(evil)}\`\`')</code>, model `\x1b[2Jmlp`. Written"
        in text
    )
    assert "<script" not in text
    assert r"\| \*a\* \[b\](c) \`d\`" in text


def test_dates_and_machines_are_those_of_the_records(make: Make, tmp_path: Path, few: Keep) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = make(tmp_path / "study", keep=few)
    path = folder / "results/runs.parquet"
    table = pq.read_table(path)
    days = [f"2026-01-{day + 1:02}T10:00:00+00:00" for day in range(len(table))]
    table = table.append_column("ended", pa.array(days))
    table = table.append_column("machine", pa.array(["A, 2 cores"] * len(days)))
    table = table.append_column("headstart", pa.array(["0.9"] * len(days)))
    rewrite(folder, runs=table, planned=len(days) + 4)
    kept = publish(folder, tmp_path / "kept")
    run = findings(kept)["run"]
    assert (run["first_ended"], run["last_ended"]) == (days[0], days[-1])
    assert (run["machines"], run["headstart"], run["planned"]) == (["A, 2 cores"], ["0.9"], 10)
    text = (kept / "README.md").read_text()
    assert "6 of 10 runs" in text
    assert "2026-01-01 to 2026-01-06" in text
    assert "This study is not complete: 6 of 10 runs have ended." in text


def test_what_all_runs_share_is_left_out(make: Make, tmp_path: Path, few: Keep) -> None:
    runs = read(make(tmp_path, keep=few)).grid.records.runs
    assert {"start", "client", "server", "seed", "status"} <= varying(runs).keys()
    assert "partition" not in varying(runs)
