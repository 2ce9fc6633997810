"""Studies whose clients do a part of a local epoch, from the file to the page."""

import csv
from typing import Any

import pyarrow as pa
import pytest

import headstart
from headstart.errors import HeadstartError
from headstart.report.runs.records import read
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS = {"task": "digits", "model": "logistic", "population": 20, "cohort": 3, "seeds": [0, 1]}


def test_keys_and_text_of_whole_epochs_are_those_from_before_there_were_parts() -> None:
    study = Study(**KEYS, local_epochs=[1, 5])
    assert [run.key for run in study.runs] == [
        "1f843e042260c21f",
        "dd9e8a1214436a50",
        "404f4c8b8328c04a",
        "08abbd1e27dcc968",
    ]
    assert "\nlocal_epochs:\n- 1\n- 5\n" in study.resolved()


def test_a_whole_number_is_the_same_run_however_it_is_written() -> None:
    one, same, half = (Study(**KEYS, local_epochs=e) for e in (1, 1.0, 0.5))
    assert [run.key for run in one.runs] == [run.key for run in same.runs]
    assert one.resolved() == same.resolved()
    assert one.runs[0].key != half.runs[0].key
    assert "local_epochs:\n- 0.5\n" in half.resolved()
    written = [str(Study(**KEYS, local_epochs=e).runs[0]) for e in (0.5, 1, 5.0)]
    told = [text.split(", ")[-3] for text in written]
    assert told == ["0.5 local epochs", "1 local epoch", "5 local epochs"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (0, "local_epochs[0]: expected a number > 0, got 0"),
        ([1, -0.5], "local_epochs[1]: expected a number > 0, got -0.5"),
        (True, "local_epochs[0]: expected a number > 0, got True"),
        ("half", "local_epochs[0]: expected a number > 0, got 'half'"),
        (float("nan"), "local_epochs[0]: expected a number > 0, finite, got nan"),
        ([1, 1.0], "local_epochs[1]: 1 is there twice; remove one"),
    ],
)
def test_what_is_no_number_of_epochs_is_one_line(written: Any, said: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        Study(**KEYS, local_epochs=written)
    assert str(caught.value) == said


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A study with half an epoch and a whole one, tuned for each, and its page."""
    from headstart.report.pages.study_page import write

    study = Study(
        **KEYS, rounds=2, every=1, local_epochs=[0.5, 1], probes="evaluation", executor="loop",
        tuning={"trials": 1, "rounds": 1, "each": ["local_epochs"]},
    )  # fmt: skip
    folder = run_study(study, tmp_path_factory.mktemp("half") / "out")
    return write(folder)


def test_tables_hold_parts_as_numbers_and_readers_whole_ones_as_whole(done: Any) -> None:
    results = headstart.load(done.parent)
    for table in (results.runs, results.trials):
        assert table.schema.field("local_epochs").type == pa.float64()
    assert results.runs["local_epochs"].to_pylist() == [0.5, 0.5, 1.0, 1.0]
    found = read(done.parent)
    assert [repr(run.local_epochs) for run in found.runs] == ["0.5", "0.5", "1", "1"]
    assert [repr(trial["local_epochs"]) for trial in found.trials] == ["0.5", "1"]


def test_the_page_and_its_tables_write_parts_as_parts_and_one_as_one(done: Any) -> None:
    text = done.read_text(encoding="utf-8")
    assert "oing from 0.5 to 1 local epoch changes accuracy by" in text
    assert "with 0.5 and 1 local epochs" in text
    assert "equal devices, 0.5 local epochs" in text
    assert "1.0 local epoch" not in text
    for name, column in (("local-epochs", ["0.5", "1"]), ("trials", ["0.5", "1"])):
        rows = csv.DictReader((done.parent / "tables" / f"{name}.csv").read_text().splitlines())
        assert [row["local epochs"] for row in rows] == column


def test_half_an_epoch_takes_half_of_the_steps(done: Any) -> None:
    """Of 60 rows in batches of eight: four steps of eight, ten a second, in each of two rounds."""
    assert headstart.load(done.parent).runs["simulated_seconds"].to_pylist() == [0.8, 0.8, 1.6, 1.6]
