"""Folders whose study file or lock is gone or changed: nothing is given up, nothing is mixed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.study.folder import store
from headstart.study.folder.store import Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS = {
    "task": "digits", "model": "logistic", "population": 10, "cohort": 3, "batch_size": 64,
    "rounds": 1, "seeds": [0, 1], "probes": ["evaluation"], "executor": "loop",
}  # fmt: skip


def of(**keys: Any) -> Study:
    return Study(**{**KEYS, **keys})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(run_study(of(), tmp_path_factory.mktemp("whole") / "out"))


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "out"))


def times(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")}


@pytest.mark.parametrize(
    ("damage", "how"),
    [
        (lambda file: file.unlink(), "gone"),
        (lambda file: file.write_bytes(b""), "changed"),
        (
            lambda file: file.write_text(file.read_text().replace("cohort: 3", "cohort: 2")),
            "changed",
        ),
        (
            lambda file: file.write_text(file.read_text().replace("cohort: 3", "cohort: [3")),
            "changed",
        ),
        (lambda file: file.write_bytes(b"\xff" + file.read_bytes()), "changed"),
    ],
)
def test_a_study_file_that_is_gone_or_changed_is_written_again(
    damage: Any, how: str, out: Path
) -> None:
    before, text = times(out), (out / "study.yaml").read_text()
    damage(out / "study.yaml")
    lines: list[str] = []
    run_study(of(), out, tell=lines.append)
    assert lines == [
        f"study.yaml in {out} was {how}; it is written again, as all 2 runs there are of this study"
    ]
    assert times(out) == before
    assert (out / "study.yaml").read_text() == text


def test_without_a_study_file_the_runs_of_another_study_are_not_taken(out: Path) -> None:
    before = times(out)
    (out / "study.yaml").unlink()
    with pytest.raises(
        HeadstartError,
        match=r"\(its study\.yaml is gone, and its run [0-9a-f]+ is not of this study\)",
    ):
        run_study(of(cohort=4), out)
    assert times(out) == before
    assert not (out / "study.yaml").exists()


def test_a_folder_whose_lock_file_was_deleted_is_still_held(out: Path) -> None:
    with Folder(out).claimed(of().resolved()):
        (out / ".lock").unlink()
        with pytest.raises(
            HeadstartError, match="is in use by another headstart process; wait for it to end"
        ):
            run_study(of(), out)
    run_study(of(), out)


def test_runs_that_are_done_are_not_read_again_for_the_tables(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [(out / "results" / name).read_bytes() for name in ("runs.parquet", "rounds.parquet")]
    read: list[Path] = []
    plain = store.read_rounds
    monkeypatch.setattr(
        store,
        "read_rounds",
        lambda path, seal: read.append(path) or plain(path, seal),  # type: ignore[func-returns-value]
    )
    run_study(of(), out)
    assert read == []
    assert [
        (out / "results" / name).read_bytes() for name in ("runs.parquet", "rounds.parquet")
    ] == before
    run_study(of(seeds=[2, 0, 1]), out)  # twice: before the new run and after
    assert {path.parent.name for path in read} == {of(seeds=[2]).runs[0].key}
    run_study(of(seeds=[2, 0, 1], target_accuracy=0.01), out)
    assert len(read) == 1 + 3
    shutil.rmtree(out / "results")
    run_study(of(seeds=[2, 0, 1], target_accuracy=0.01), out)
    assert len(read) == 1 + 3 + 3
