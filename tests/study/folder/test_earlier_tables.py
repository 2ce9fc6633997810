"""What the tables of before still hold: the rows of runs whose record has not changed."""

from pathlib import Path

from headstart import arrow, tables
from headstart.study.folder.earlier_tables import about, gathered
from headstart.tables import ROUNDS, RUNS, StudyTables, write_results


def folder(path: Path, target: float | None) -> Path:
    runs = arrow.table([{"run": "a"}, {"run": "b"}, {"run": "c"}], RUNS)
    rows = [("a", 0, 0.1), ("a", 5, 0.2), ("c", 0, 0.3)]
    measured = [
        {"run": run, "round": round_, "metric": "test_accuracy", "value": value}
        for run, round_, value in rows
    ]
    told = about({"a": "1", "b": "2", "c": "3"}, target)
    write_results(path, StudyTables("", runs, arrow.table(measured, ROUNDS), about=told))
    return path


def test_a_run_whose_record_is_the_same_has_its_rows(tmp_path: Path) -> None:
    found = gathered(folder(tmp_path, 0.8), 0.8)
    rows = found.of("a", "1")
    assert rows is not None
    rounds, row = rows
    assert (rounds["value"].to_pylist(), row["run"].to_pylist()) == ([0.1, 0.2], ["a"])
    empty = found.of("b", "2")
    assert empty is not None
    assert (len(empty[0]), len(empty[1])) == (0, 1)
    assert found.of("a", "another seal") is None
    assert found.of("new", "1") is None


def test_tables_of_another_target_or_none_hold_nothing(tmp_path: Path) -> None:
    assert gathered(folder(tmp_path, 0.8), None).places == {}
    (tmp_path / tables.RESULTS / "runs.parquet").write_bytes(b"cut")
    assert gathered(tmp_path, 0.8).places == {}
    assert gathered(tmp_path / "nowhere", 0.8).places == {}
