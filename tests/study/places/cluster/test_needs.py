"""An item gets the files of the folder that it reads, and no others."""

from pathlib import Path
from typing import Any

from headstart.study.folder.store import CHECKPOINT, RECORD
from headstart.study.places.cluster import needs
from headstart.study.spec import Study
from headstart.study.tuning.search import searches


def test_a_run_gets_its_checkpoint_and_one_that_is_done_says_so(study: Any, copy: Path) -> None:
    done, other = study.runs[:2]
    folder = copy / "runs" / other.key
    (folder / RECORD).unlink()
    (folder / CHECKPOINT).write_bytes(b"state")
    found = needs.contents((done, other), copy)
    assert [name for name in found if done.key in name] == [f"runs/{done.key}/{RECORD}"]
    assert found[f"runs/{other.key}/{CHECKPOINT}"] == b"state"
    assert not [name for name in found if study.runs[2].key in name]


def test_a_search_gets_its_own_trials(file: Path, tmp_path: Path) -> None:
    tuned = Study(task="digits", model="mlp", clients=["sgd", "gd"], tuning={"trials": 2})
    first, second = searches(tuned)
    for search in (first, second):
        (tmp_path / "tuning" / search.key).mkdir(parents=True)
        (tmp_path / "tuning" / search.key / "0000.json").write_text("{}")
    assert needs.contents(first, tmp_path) == {f"tuning/{first.key}/0000.json": b"{}"}
    assert [run.seed for run in needs.runs_of(first)] == list(first.seeds)


def test_weights_that_many_begin_from_are_named_apart(tmp_path: Path) -> None:
    (tmp_path / "starts").mkdir()
    for name in ("a.safetensors", "notes.json"):
        (tmp_path / "starts" / name).write_text("{}")
    assert needs.weights(tmp_path) == [tmp_path / "starts" / "a.safetensors"]
    assert needs.contents((), tmp_path) == {"starts/notes.json": b"{}"}
