"""What a study leaves in its folder, and what it refuses before any training."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

import headstart
from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.machine import processor
from headstart.report.runs.records import read
from headstart.starts.weights import load
from headstart.study.check import check
from headstart.study.folder.store import Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tables import write_results

from .conftest import assert_nothing_left_over, carried_out, of_ends


def test_the_tables_hold_what_the_runs_were(study: Any, whole: Any) -> None:
    runs = pq.read_table(whole / "results" / "runs.parquet").to_pylist()
    rounds = pq.read_table(whole / "results" / "rounds.parquet").to_pylist()
    assert [row["run"] for row in runs] == [run.key for run in study.runs]
    assert [(row["client"], row["seed"]) for row in runs] == [
        ("sgd", 0),
        ("sgd", 1),
        ("scaffold", 0),
        ("scaffold", 1),
    ]
    for row in runs:
        measured = {
            r["round"]: r["value"]
            for r in rounds
            if r["run"] == row["run"] and r["metric"] == "test_accuracy"
        }
        assert list(measured) == [0, 10, 20, 30]
        assert (row["status"], row["rounds"], row["diverged_at"]) == ("finished", 30, None)
        assert row["test_accuracy"] == measured[30]
        reached = [round_ for round_, accuracy in measured.items() if accuracy >= 0.2]
        assert row["rounds_to_target"] == (reached[0] if reached else None)
        weights = load(whole / "runs" / row["run"] / "weights.safetensors").state
        assert (
            row["parameters"]
            == sum(leaf.numel() for leaf in weights.values())
            == 64 * 16 + 16 + 16 * 10 + 10
        )
        final = [
            r["value"]
            for r in rounds
            if (r["run"], r["metric"], r["round"]) == (row["run"], "distance_to_final", 30)
        ]
        assert final == [0.0]
    assert any(row["rounds_to_target"] for row in runs)
    assert {(row["headstart"], row["machine"]) for row in runs} == {
        (headstart.__version__, processor())
    }
    assert all(
        abs(datetime.fromisoformat(row["ended"]) - datetime.now(UTC)) < timedelta(hours=1)
        for row in runs
    )
    assert (whole / "study.yaml").read_text() == study.resolved()
    assert_nothing_left_over(whole)


def test_runs_that_are_done_are_not_done_again(study: Any, copy: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/*")}
    events: list[Any] = []
    run_study(study, copy, watch=of_ends(events.append))
    assert events == []
    assert {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/*")} == before


def test_a_folder_tells_of_every_run_that_ends(study: Any, copy: Any) -> None:
    shutil.rmtree(copy / "runs" / study.runs[2].key)
    events: list[Any] = []
    run_study(study, copy, watch=of_ends(events.append))
    assert [(e.done, e.total, e.run, e.status) for e in events] == [
        (4, 4, study.runs[2], "finished")
    ]


def test_the_table_of_runs_says_how_many_were_planned(study: Any, copy: Any) -> None:
    shutil.rmtree(copy / "runs" / study.runs[0].key)
    write_results(copy, Folder(copy).gather([run.key for run in study.runs], 0.2, study.resolved()))
    table = pq.read_table(copy / "results" / "runs.parquet")
    assert (len(table), table.schema.metadata[b"planned"]) == (
        len(study.runs) - 1,
        str(len(study.runs)).encode(),
    )
    assert read(copy).planned == len(study.runs)


def test_a_diverged_run_is_a_row(tmp_path: Path) -> None:
    study = Study(
        task="digits", model="mlp(hidden=[16])", population=10, cohort=3, rounds=30, every=10,
        seeds=[0], client_rates=[0.1, 1e30], executor="loop", batch_size=64,
    )  # fmt: skip
    out = run_study(study, tmp_path / "out", checkpoint_seconds=0.0)
    good, bad = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert (good["status"], good["diverged_at"]) == ("finished", None)
    assert (bad["status"], bad["diverged_at"], bad["rounds"]) == ("diverged", 1, 1)
    assert bad["test_accuracy"] is None
    assert bad["test_loss"] is None
    rounds = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    assert {row["round"] for row in rounds if row["run"] == bad["run"]} == {0}
    assert_nothing_left_over(out)
    run_study(study, out)  # a diverged run is done
    assert pq.read_table(out / "results" / "runs.parquet").to_pylist()[1]["status"] == "diverged"


def test_the_threads_of_the_caller_stay_as_they_were(study: Any, copy: Any) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        run_study(study, copy)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"partitions": ["iid", "natural"]}, "natural"),
        (
            {"probes": ["evaluation", "curvature(top=3, products=2)"]},
            r"expected at least as many as top \(3\), got 2",
        ),
    ],
)
def test_no_study_trains_before_all_of_it_is_checked(
    tmp_path: Path, keys: Any, reason: str
) -> None:
    study = Study(task="digits", model="mlp", population=10, cohort=3, seeds=[0], **keys)
    with pytest.raises(HeadstartError, match=reason):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stream_is_what_a_worker_does(study: Any, whole: Any, tmp_path: Path) -> None:
    with torch_threads(1):
        assert carried_out((study.runs[0],), tmp_path, checkpoint_seconds=10.0) == [
            (study.runs[0], "finished")
        ]
    mine, theirs = (
        folder / "runs" / study.runs[0].key / "rounds.parquet" for folder in (tmp_path, whole)
    )
    assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("device", ["nowhere", "meta", "cpu:0", "cuda:99"])
def test_a_device_that_is_not_there_is_one_line(tmp_path: Path, device: str) -> None:
    with pytest.raises(
        HeadstartError,
        match=rf"device: torch cannot use '{device}' here \(.*\); choose cpu or another",
    ):
        run_study(Study(task="digits", model="logistic", device=device), tmp_path)
    assert not (tmp_path / "runs").exists()


def test_a_round_that_no_memory_could_hold_is_refused_before_it_is_drawn() -> None:
    study = Study(
        task="digits", model="logistic", population=2, cohort=2, local_epochs=10**9, seeds=[0]
    )
    with pytest.raises(
        HeadstartError,
        match=r"^local_epochs: a round of 2 clients with up to 600 rows, 1000000000 times",
    ):
        check(study)


def test_a_folder_whose_name_is_not_utf8_is_refused_before_there_is_one(
    study: Any, tmp_path: Path
) -> None:
    """The system has such names; what reads weights has not."""
    with pytest.raises(HeadstartError, match="expected a folder whose path is UTF-8"):
        run_study(study, tmp_path / "out\udcff")
    assert not list(tmp_path.glob("out*"))


def test_a_link_to_itself_in_place_of_a_folder_is_one_line(study: Any, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(HeadstartError, match="loop"):
        run_study(study, tmp_path / "loop")
