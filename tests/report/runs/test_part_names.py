"""Parts go by the names that a study file gives them, wherever people read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.report.judgement.reading import Reading, read
from headstart.report.pages.comparison import write as compare
from headstart.report.pages.study_page import page, table_files
from headstart.report.runs.grid import Grid
from headstart.report.runs.part_names import PartNames, part_names, without_names

Table = Callable[..., Grid]
A, TUNED = "sgd + adam", "proximal(mu=0.3) + adam"
WRITTEN: dict[str, Any] = {
    "task": {"name": "digits", "as": "post codes"},
    "starts": ["random", {"name": "checkpoint(path='/nets/a.pt')", "as": "letters"}],
    "clients": ["sgd", {"name": "proximal", "as": "ours"}, "proximal(mu=1)"],
    "also": [{"partitions": [{"name": "dirichlet(alpha=0.1)", "as": "skewed"}]}],
}


def test_a_part_goes_by_its_name_also_where_a_tuning_changed_it() -> None:
    names = part_names(WRITTEN)
    assert names.called("starts", "checkpoint(path='/nets/a.pt')") == "letters"
    assert names.called("clients", "proximal(mu=0.3)") == "ours"
    assert names.called("clients", "proximal(mu=1)") == "proximal(mu=1)"
    assert names.called("clients", "sgd") == "sgd"
    assert names.called("partitions", "dirichlet(alpha=0.1)") == "skewed"
    assert (
        names.told("starts", "checkpoint(path='/nets/a.pt')")
        == "letters (checkpoint(path='/nets/a.pt'))"
    )
    assert names.in_file("task", "digits") == WRITTEN["task"]
    assert PartNames().called("starts", "random") == "random"


def test_a_study_file_without_its_names_is_what_it_was() -> None:
    assert without_names(WRITTEN) == {
        "task": "digits", "starts": ["random", "checkpoint(path='/nets/a.pt')"],
        "clients": ["sgd", "proximal", "proximal(mu=1)"],
        "also": [{"partitions": ["dirichlet(alpha=0.1)"]}],
    }  # fmt: skip


@pytest.fixture
def named(table: Table) -> Grid:
    """A study of two starts and two pairs, of which one start,
    one client and the partition have names.
    """
    path = "checkpoint(path='/nets/a.pt')"
    random, letters = (
        {A: [0.5, 0.51, 0.52], TUNED: [0.6, 0.61, 0.62]},
        {A: [0.8, 0.81, 0.82], TUNED: [0.9, 0.91, 0.92]},
    )
    return table({"random": random, path: letters}, **WRITTEN, model="mlp", rounds=4)


def test_the_verdict_speaks_of_them(named: Grid) -> None:
    assert named.starts == ("random", "letters")
    assert [str(pair) for pair in named.pairs()] == [A, "ours + adam"]
    assert str(named.base).startswith("skewed, ")
    said = Reading(Path("here"), named).verdict
    assert (said.where.claim, said.which.claim) == ("Begin from letters", "Use ours + adam")
    assert said.choice is not None
    assert said.choice.start_in_words == "weights from a checkpoint (path='/nets/a.pt')"
    assert said.choice.rates.endswith("proximal(mu=0.3)")  # what it is
    chosen = yaml.safe_load(said.choice.study)
    assert chosen["starts"] == [WRITTEN["starts"][1]]
    assert chosen["clients"] == [{"name": "proximal(mu=0.3)", "as": "ours"}]
    assert chosen["task"] == WRITTEN["task"]


def test_the_page_and_its_tables_have_them(named: Grid) -> None:
    reading = Reading(Path("here"), named)
    text = page(reading, [])
    assert "Begin from letters" in text
    meanings = (
        "post codes: digits; letters: checkpoint(path=&#39;/nets/a.pt&#39;); ours: "
        "proximal; skewed: dirichlet"
    )
    assert f"<dt>Names</dt><dd>{meanings}" in text
    picture = reading.appendix.best_of_starts
    assert picture is not None
    assert b"letters,ours + adam" in table_files(picture.tables[0])["tables/starts.csv"]


def test_pages_of_several_studies_have_them(study: Callable[..., Path], tmp_path: Path) -> None:
    settings = {"task": WRITTEN["task"], "name": "study", "title": ""}
    named = study("clear", starts=("random", "proxy"), **settings)
    text = compare([named], tmp_path / "page.html").read_text()
    assert "<h1>Where to begin: post codes</h1>" in text


def test_older_folders_read_as_before(study: Callable[..., Path]) -> None:
    records = read(study()).grid.records
    assert not any(any(named.values()) for named in records.names.of.values())
