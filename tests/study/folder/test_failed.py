"""Why a run failed, kept in its folder until it is done."""

from pathlib import Path

import pytest
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.study.folder import failed


def test_what_is_not_the_runs_own_fault_is_none() -> None:
    (run,) = study().runs
    assert failed.of_run(HeadstartError("rounds: expected"), run) == ""
    assert failed.of_run(OSError("no space"), run) == ""
    assert failed.of_run(ValueError("odd"), run) == "it raised ValueError: odd"
    assert failed.of_run(KeyError(), run) == "it raised KeyError"
    assert "memory" in failed.of_run(MemoryError(), run)


def test_a_failure_is_noted_found_and_forgotten(tmp_path: Path) -> None:
    (run,) = study().runs
    folder = tmp_path / "runs" / run.key
    folder.mkdir(parents=True)
    assert not failed.are_in(tmp_path)
    failed.note(folder, run, "it raised ValueError: odd")
    assert failed.are_in(tmp_path)
    assert failed.among([folder, tmp_path]) == {run.key: "it raised ValueError: odd"}
    (folder / failed.FAILED).write_bytes(b"{}")
    with pytest.raises(HeadstartError, match=r"failed\.json"):
        failed.among([folder])
    failed.forget(folder)
    failed.forget(folder)
    assert failed.among([folder]) == {}


def test_one_line_tells_of_several() -> None:
    line = failed.line({"a": "it raised X", "b": "it raised X", "c": "it raised Y"}, 5)
    assert line.startswith("3 of 5 runs failed (it raised X; and 1 other reasons); mend that")
