"""The record of a study's looks: what it says, and that it is not lost without a word."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.looks.conftest import ADAM, HIGH, LOW, PLAN, SGD, runs

from headstart import parquet_files
from headstart.errors import HeadstartError
from headstart.looks.decided import decided
from headstart.looks.plans import Plan, plan_of
from headstart.looks.record import (
    LOOKED,
    Record,
    in_a_word,
    looks_taken,
    read_record,
    record_for,
    record_in,
    table_of,
)
from headstart.statistics.joint.decisions import Accuracies, Bounds, decide
from headstart.statistics.joint.sequential import levels, until_decided
from headstart.tables import DECISIONS, LOOKS

RECORD = Record(PLAN, PLAN, 0)


@pytest.mark.parametrize(
    ("low", "least", "most", "high", "word"),
    [
        (0.001, 0.002, 0.1, 0.2, "ahead"),
        (-0.2, -0.1, -0.002, -0.001, "behind"),
        (-0.006, -0.004, 0.004, 0.006, "level"),
        (-0.2, -0.005, 0.1, 0.2, "no worse"),
        (-0.2, -0.1, 0.005, 0.2, "no better"),
        (-0.2, -0.1, 0.1, 0.2, "open"),
    ],
)
def test_a_decision_is_one_word(
    low: float, least: float, most: float, high: float, word: str
) -> None:
    """Of a difference between `low` and `high`, of which is claimed that it is `least` at least,
    or `most` at most.
    """
    ours, theirs = Bounds(0.0, low, high, most), Bounds(0.0, -high, -low, -least)
    assert in_a_word(ours, theirs, margin=0.005) == word
    assert word in DECISIONS


def test_each_couple_of_starts_and_of_pairs_has_a_row_at_each_look() -> None:
    rows = [*runs("random", SGD, LOW[:3]), *runs("proxy", SGD, HIGH[:3])]
    rows += [*runs("random", ADAM, LOW[2::-1]), *runs("proxy", ADAM, HIGH[2::-1])]
    found = decided(rows, PLAN)
    written = table_of(RECORD, found).to_pylist()
    places = [
        (row["look"], row["question"], row["start"], row["one"], row["other"])
        for row in written[:3]
    ]
    assert places == [
        (1, "where", None, "random", "proxy"),
        (1, "which", "random", "sgd + sgd", "sgd + adam"),
        (1, "which", "proxy", "sgd + sgd", "sgd + adam"),
    ]
    assert written[0]["decision"] == "behind"
    assert written[0]["estimate"] == found.decisions[0].starts[0, 1].value
    plan = PLAN.looks
    assert {(row["seeds"], row["spent"], row["level"]) for row in written} == {
        (3, plan.spent[0], levels(plan)[0])
    }


def test_the_last_look_of_a_study_that_gave_up_says_so() -> None:
    random, proxy = [0.80, 0.90, 0.70, 0.81], [0.90, 0.80, 0.71, 0.80]
    found = decided([*runs("random", SGD, random), *runs("proxy", SGD, proxy)], PLAN)
    assert [row["decision"] for row in table_of(RECORD, found).to_pylist()] == ["open", "given up"]


def read_off(low: float, high: float, margin: float) -> str:
    """A decision as docs/study-file.md says that it follows from the interval and the margin."""
    if low > 0:
        return "ahead"
    if high < 0:
        return "behind"
    if low >= -margin:
        return "level" if high <= margin else "no worse"
    return "no better" if high <= margin else "open"


@pytest.mark.parametrize("key", [0, 1, 2, 412])
def test_every_decision_follows_from_its_interval(key: int) -> None:
    """In study 412 two pairs were open at seven seeds, beside an interval that ended within the
    margin.
    """
    draw, seen = np.random.default_rng(key), set()
    values = (
        0.8 + 0.004 * draw.standard_normal((1, 4, 1)) + 0.006 * draw.standard_normal((1, 4, 12))
    )
    values = np.concatenate([values, values + 0.002 * draw.standard_normal(values.shape)])
    for at in decide(Accuracies(values), until_decided(3, 12), 0.005):
        couples = [(bounds, at.starts[b, a]) for (a, b), bounds in at.starts.items()]
        couples += [(bounds, at.pairs[a, j, i]) for (a, i, j), bounds in at.pairs.items()]
        for ours, theirs in couples:
            word = in_a_word(ours, theirs, 0.005)
            seen.add(word)
            assert word == read_off(ours.low, ours.high, 0.005)
    assert len(seen) > 1


@pytest.mark.parametrize(("noise", "gain"), [(0.002, 0.0), (0.01, 0.03), (0.03, 0.15)])
def test_the_interval_of_a_row_is_that_of_its_decision(noise: float, gain: float) -> None:
    """A start was `no worse` within 2 points beside an interval that began at -6."""
    draw, words = np.random.default_rng(2), set()
    for values in 0.8 + noise * draw.standard_normal((8, 2, 2, 5)):
        values[1] += gain
        rows = []
        for start, of_start in zip(("random", "proxy"), values.tolist(), strict=True):
            rows += [*runs(start, SGD, of_start[0]), *runs(start, ADAM, of_start[1])]
        for row in table_of(RECORD, decided(rows, PLAN)).to_pylist():
            words.add(row["decision"])
            assert row["decision"].replace("given up", "open") == read_off(
                row["low"], row["high"], PLAN.margin
            )
    assert words - {"open", "given up"}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record(plan_of({"seeds": [0, 1, 2]}), PLAN, 2)
    path = tmp_path / "results" / "looks.parquet"
    parquet_files.write(path, table_of(record, None))
    assert read_record(tmp_path) == record


def test_a_folder_without_results_has_no_record(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None


def test_a_record_that_is_gone_while_there_are_results_is_missed(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "runs.parquet").touch()
    with pytest.raises(
        HeadstartError, match=r"looks\.parquet is gone, which says what was looked at; put it back"
    ):
        read_record(tmp_path)


def test_a_record_of_another_time_is_refused(tmp_path: Path) -> None:
    """An older one gives back error that was spent; one of the next look is of a process that ended
    between files.
    """
    results = tmp_path / "results"
    plan = plan_of({"seeds": {"until": "decided", "first": 3, "at_most": 6}})
    told = pa.table({"run": ["a"]}).replace_schema_metadata(
        {LOOKED: looks_taken(Record(plan, plan, 2))}
    )
    parquet_files.write(results / "runs.parquet", told)
    for taken in (2, 3):
        parquet_files.write(results / "looks.parquet", table_of(Record(plan, plan, taken), None))
        assert read_record(tmp_path) == Record(plan, plan, taken)
    other = plan_of({"seeds": {"until": "decided", "first": 3, "at_most": 9}})
    for record in (Record(plan, plan, 1), Record(plan, plan, 0), Record(other, other, 2)):
        parquet_files.write(results / "looks.parquet", table_of(record, None))
        with pytest.raises(
            HeadstartError,
            match=r"does not hold the looks of which runs\.parquet tells; put it back",
        ):
            read_record(tmp_path)


@pytest.mark.parametrize("file", ["rounds.parquet", "baselines.parquet"])
def test_a_record_that_is_gone_with_the_runs_is_missed_too(tmp_path: Path, file: str) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / file).touch()
    with pytest.raises(HeadstartError, match=r"looks\.parquet is gone"):
        read_record(tmp_path)


def test_a_table_without_a_plan_is_no_record() -> None:
    with pytest.raises(HeadstartError, match=r"is damaged \(it names no plan\); put it back"):
        record_in(LOOKS.empty_table(), Path("looks.parquet"))


def test_the_same_study_goes_on_as_it_was_planned() -> None:
    """Also where its plan was none of the file: what is left is not shared anew at each look."""
    other = Plan(PLAN.seeds, until_decided(2, 5), PLAN.margin)
    begun = Record(PLAN, other, 2)
    assert record_for(PLAN, begun) == begun
    assert record_for(Plan(PLAN.seeds, PLAN.looks, 0.02), begun).followed == Plan(
        other.seeds, other.looks, 0.02
    )
    assert record_for(PLAN, None) == RECORD


def test_a_margin_that_was_changed_after_looks_is_remembered(tmp_path: Path) -> None:
    """The page said "by more than 5 points" of a folder that was decided with 1, and no word."""
    wide = Plan(PLAN.seeds, PLAN.looks, 0.05)
    changed = record_for(wide, Record(PLAN, PLAN, 1))
    assert (changed.margins, changed.followed.margin) == ((PLAN.margin,), 0.05)
    assert record_for(wide, changed) == changed
    assert record_for(PLAN, changed).margins == (PLAN.margin, 0.05)
    assert record_for(wide, Record(PLAN, PLAN, 0)).margins == ()
    assert record_in(table_of(changed, None), tmp_path) == changed
    assert changed.with_looks(3).margins == (PLAN.margin,)


def test_a_study_that_goes_on_is_still_tuned_as_often() -> None:
    """Four seeds that share two tunings are two results, also when the same command is run
    again.
    """
    plan = plan_of({"seeds": [0, 1, 2, 3], "tuning": {"repeats": 2}})
    assert plan.repeats == 2
    assert record_for(plan, Record(plan, plan, 1)) == Record(plan, plan, 1)


def test_looks_that_were_taken_stay_taken() -> None:
    assert RECORD.with_looks(3).with_looks(1) == Record(PLAN, PLAN, 3)
