"""More rounds, trials and probes from where a study ended: the same bits as all at once,
and never silently anew.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from headstart.engine import checkpoint
from headstart.errors import HeadstartError
from headstart.study import stream
from headstart.study.folder import saved
from headstart.study.folder.store import CHECKPOINT, JOURNAL, STATE
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS: dict[str, Any] = {
    "task": "digits", "model": "mlp(hidden=[8], dropout=0.1)", "clients": ["sgd", "scaffold"],
    "servers": "adam", "server_rates": 0.03, "devices": "dropped(share=0.3)", "population": 10,
    "cohort": 3, "batch_size": 32, "seeds": [0, 1], "every": 5,
    "probes": ["evaluation(test_rows=50)", "alignment", "distance(width=64)",
               "curvature(rows=16, trace_vectors=0)"],
}  # fmt: skip


def of(rounds: int, **keys: Any) -> Study:
    return Study(**{**KEYS, "rounds": rounds, **keys})


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of 7 rounds, whose last one is measured although `every` is 5."""
    return Path(run_study(of(7), tmp_path_factory.mktemp("short") / "out"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of 12 rounds, run at once."""
    return Path(run_study(of(12), tmp_path_factory.mktemp("long") / "out"))


@pytest.fixture
def out(short: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "out"))


def assert_equal(folder: Path, other: Path) -> None:
    for name in ("runs", "rounds"):
        ours, theirs = (
            pq.read_table(each / "results" / f"{name}.parquet") for each in (folder, other)
        )
        timed = [column for column in ("seconds", "ended") if column in ours.column_names]
        assert ours.drop_columns(timed).equals(theirs.drop_columns(timed))
    for path in other.glob("runs/*/weights.safetensors"):
        ours, theirs = load_file(folder / path.relative_to(other)), load_file(path)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], leaf) for name, leaf in theirs.items())


@pytest.mark.parametrize("jobs", [1, 2])
def test_more_rounds_go_on_and_end_in_the_bits_of_all_at_once(
    jobs: int, out: Path, long: Path
) -> None:
    lines: list[str] = []
    run_study(of(12), out, jobs, tell=lines.append)
    assert lines == [
        "going on from round 6, where runs of 7 rounds were before their last one: 4 runs"
    ]
    assert_equal(out, long)
    records = [json.loads(path.read_text()) for path in out.glob("runs/*/run.json")]
    assert sorted(record["rounds"] for record in records) == [7] * 4 + [12] * 4
    assert len(list(out.glob(f"runs/*/{STATE}"))) == 4  # those of the longer runs


def test_rounds_may_be_added_again_and_seeds_with_them(out: Path, tmp_path: Path) -> None:
    run_study(of(9), out)
    lines: list[str] = []
    run_study(of(10, seeds=[0, 1, 2]), out, tell=lines.append)
    assert lines == [
        "going on from round 8, where runs of 9 rounds were before their last one: 4 runs"
    ]
    at_once = run_study(of(10, seeds=[0, 1, 2]), tmp_path / "at once")
    assert_equal(out, Path(at_once))


def test_a_run_that_goes_on_does_no_round_again_but_its_last(out: Path) -> None:
    run = of(12).runs[0]
    (shorter,) = [run for run in of(7).runs if run.seed == 0 and run.client.name == "sgd"]
    assert saved.hand_over_state(out / "runs" / shorter.key, out / "runs" / run.key)
    state, _ = checkpoint.load(out / "runs" / run.key / CHECKPOINT)
    assert state.round == 6


def test_runs_without_a_state_begin_anew_and_that_is_said(out: Path, long: Path) -> None:
    states = sorted(out.glob(f"runs/*/{STATE}"))
    states[0].unlink()
    content = bytearray(states[1].read_bytes())
    content[-3] ^= 4
    states[1].write_bytes(content)
    (states[2].parent / JOURNAL).unlink()
    lines: list[str] = []
    run_study(of(12), out, tell=lines.append)
    assert sorted(lines) == [
        "begun anew, as shorter ones kept no state to go on from (they diverged, or it was too "
        "large to keep): 3 runs",
        "going on from round 6, where runs of 7 rounds were before their last one: 1 run",
    ]
    assert_equal(out, long)


def test_a_state_that_is_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "STATE_BYTES", 1000)
    run_study(of(3, seeds=[0], clients="sgd"), tmp_path / "out", checkpoint_seconds=0.0)
    (run,) = (tmp_path / "out" / "runs").iterdir()
    assert sorted(path.name for path in run.iterdir()) == [
        "rounds.parquet",
        "run.json",
        "weights.safetensors",
    ]


def test_fewer_rounds_are_refused_in_one_line(out: Path) -> None:
    with pytest.raises(HeadstartError) as caught:
        run_study(of(5), out)
    assert str(caught.value) == (
        f"{out} holds the results of another study (rounds: there 7, here 5; a longer run holds no "
        "shorter one, as the last round is measured more closely); choose a new folder, or only "
        "add to that study"
    )


def test_more_probes_are_measured_by_running_again_and_that_is_said(
    out: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        HeadstartError, match=r"\(probes: there also curvature\(rows=16, trace_vectors=0\)\)"
    ):
        run_study(of(7, probes=KEYS["probes"][:3]), out)
    fewer = run_study(of(3, seeds=[0], probes=["evaluation"]), tmp_path / "fewer")
    lines: list[str] = []
    run_study(of(3, seeds=[0], probes=["evaluation", "alignment"]), fewer, tell=lines.append)
    assert lines == ["begun anew, as probes were added that are measured along the way: 2 runs"]
    at_once = run_study(of(3, seeds=[0], probes=["evaluation", "alignment"]), tmp_path / "at once")
    assert_equal(Path(fewer), Path(at_once))


def test_a_probe_of_both_ends_is_measured_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curvature = "curvature(rows=16, trace_vectors=2)"
    few, more = (
        of(4, seeds=[0], probes=probes, every=2)
        for probes in (["evaluation", "distance"], ["evaluation", "distance", curvature])
    )
    out = Path(run_study(few, tmp_path / "out"))
    at_once = run_study(more, tmp_path / "at once")
    monkeypatch.setattr(stream, "rounds_of", None)  # nothing is trained
    lines: list[str] = []
    run_study(more, out, tell=lines.append)
    assert lines == [
        "not done again, as their new probes can be measured of the weights that they began and "
        "ended with: 2 runs"
    ]
    assert_equal(out, Path(at_once))
    assert not list(out.glob("runs/*/measured.json"))


def test_more_trials_go_on_with_a_search(tmp_path: Path) -> None:
    keys: dict[str, Any] = {
        "rounds": 4,
        "seeds": [0],
        "clients": "sgd",
        "probes": ["evaluation"],
        "every": 2,
    }
    run_study(of(**keys, tuning={"trials": 6}), tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/tuning/*/*")}
    assert len(before) == 6
    run_study(of(**keys, tuning={"trials": 8}), tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    at_once = run_study(of(**keys, tuning={"trials": 8}), tmp_path / "at once")
    ours, theirs = (
        pq.read_table(folder / "results" / "trials.parquet").drop_columns(["seconds"])
        for folder in (tmp_path / "out", Path(at_once))
    )
    assert ours.equals(theirs)
    assert_equal(tmp_path / "out", Path(at_once))
    with pytest.raises(HeadstartError, match=r"\(tuning\.trials: there 8, here 6\)"):
        run_study(of(**keys, tuning={"trials": 6}), tmp_path / "out")


def test_searches_with_the_rounds_of_the_runs_say_how_they_stay(tmp_path: Path) -> None:
    keys: dict[str, Any] = {
        "seeds": [0],
        "clients": "sgd",
        "probes": ["evaluation"],
        "tuning": {"trials": 1},
    }
    run_study(of(2, **keys), tmp_path / "out")
    with pytest.raises(
        HeadstartError, match=r"there 2, here 3; searches .* with 'tuning: \{rounds: 2\}' they stay"
    ):
        run_study(of(3, **keys), tmp_path / "out")
    lines: list[str] = []
    run_study(
        of(3, **{**keys, "tuning": {"trials": 1, "rounds": 2}}), tmp_path / "out", tell=lines.append
    )
    assert lines == [
        "going on from round 1, where runs of 2 rounds were before their last one: 1 run"
    ]


def test_a_run_does_not_go_on_with_another_executor(out: Path) -> None:
    """Executors agree to rounding only: `executors.json` of another folder must not be mixed in."""
    run = of(12, seeds=[0], clients="sgd").runs[0]
    (shorter,) = of(7, seeds=[0], clients="sgd").runs
    folder = out / "runs" / run.key
    assert saved.hand_over_state(out / "runs" / shorter.key, folder)
    with pytest.raises(
        HeadstartError, match=r"is damaged \(it is of executor 'stacked', and 'loop' is to go on\)"
    ):
        saved.Saving.load(folder, torch.device("cpu"), "loop")
