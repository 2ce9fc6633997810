"""Runs computed at once: which ones they are, and that neither a kill nor a run that diverges
changes a bit.
"""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from tests.engine.conftest import one_round

from headstart.engine.federation import begin
from headstart.kernels.threads import torch_threads
from headstart.study.federations import federation_of
from headstart.study.folder.store import CHECKPOINT, Folder
from headstart.study.groups import Group, groups_of
from headstart.study.rounds import advance
from headstart.study.runner import run_study
from headstart.study.spec import Study

from .conftest import assert_equal_bits, assert_nothing_left_over, carried_out

KEYS = {
    "task": "digits", "model": "mlp(hidden=[16], dropout=0.1)", "clients": ["sgd", "scaffold"],
    "servers": ["sgd", "adam"], "server_rates": 0.03, "partitions": "dirichlet(alpha=0.5)",
    "devices": "dropped(share=0.3)", "population": 10, "cohort": 3, "batch_size": 16, "rounds": 8,
    "every": 3, "seeds": [0, 1], "target_accuracy": 0.2,
}  # fmt: skip


def study_of(**keys: Any) -> Study:
    return Study(**{**KEYS, **keys})


def described(groups: list[Group]) -> list[list[tuple[str, str, int]]]:
    return [[(str(run.client), str(run.server), run.seed) for run in group] for group in groups]


def test_groups_are_of_one_size_and_hold_what_shares_shapes() -> None:
    """Of four runs that go together at most three at once: two and two,
    those of a seed beside each other.
    """
    assert described(groups_of(study_of(executor="stacked(runs=3)").runs)) == [
        [(client, "sgd", seed), (client, "adam", seed)]
        for client in ("sgd", "scaffold")
        for seed in (0, 1)
    ]


def test_runs_on_their_own_keep_their_order_and_their_keys() -> None:
    alone = study_of()
    assert groups_of(alone.runs) == [(run,) for run in alone.runs]
    assert [run.key for run in study_of(executor="stacked(runs=1)").runs] == [
        run.key for run in alone.runs
    ]


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        ({"starts": ["random", "proxy"], "client_rates": [0.1, 0.2]}, 16),
        ({"partitions": ["iid", "dirichlet(alpha=0.5)"]}, 4),
        ({"local_epochs": [1, 2]}, 4),
        ({"devices": ["equal", "dropped"]}, 4),
        ({"trainable": "head"}, 2),  # what is held is that of one start and seed
    ],
)
def test_what_a_group_may_differ_in(keys: dict[str, Any], size: int) -> None:
    groups = groups_of(study_of(executor="stacked(runs=100)", **keys).runs)
    assert {len(group) for group in groups} == {size}


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of(executor="stacked(runs=4)")


@pytest.fixture(scope="module")
def whole(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study, run in one go."""
    return run_study(study, tmp_path_factory.mktemp("whole") / "out")


def test_runs_at_once_are_those_one_by_one(study: Study, whole: Path, tmp_path: Path) -> None:
    alone = run_study(study_of(), tmp_path / "out")
    ours, theirs = (
        pq.read_table(folder / "results" / "runs.parquet").to_pylist() for folder in (whole, alone)
    )
    for run, other in zip(ours, theirs, strict=True):
        assert run["executor"] == "stacked(runs=4)"
        measured = {"run", "executor", "seconds", "ended", "test_loss", "test_accuracy"}
        assert {k: v for k, v in run.items() if k not in measured} == {
            k: v for k, v in other.items() if k not in measured
        }
        assert run["test_loss"] == pytest.approx(other["test_loss"], rel=1e-4)
        assert run["test_accuracy"] == pytest.approx(other["test_accuracy"], abs=0.01)


@pytest.mark.parametrize("executor", ["stacked", "stacked(runs=2)"])
def test_runs_whose_rows_are_streamed_get_their_own(executor: str) -> None:
    """Also where the first is not there any more, whose rows would have been the next."""
    runs = study_of(
        executor=executor, clients="sgd", servers="sgd", devices="equal", data_mib=0
    ).runs
    assert [run.seed for run in runs] == [0, 1]
    federations = [federation_of(run) for run in runs]
    first, state = (begin(federation, federation.network.initial(0)) for federation in federations)
    result = advance(federations, {0: first, 1: state})[1]
    assert result is not None
    result = advance(federations, {1: result[0]})[1]
    assert result is not None
    alone = federation_of(
        study_of(executor="loop", clients="sgd", servers="sgd", devices="equal").runs[1]
    )
    for _ in range(2):
        state, _ = one_round(alone, state)
    for name, leaf in state.x.items():
        torch.testing.assert_close(result[0].x[name], leaf)


def stop_after(rounds: int, seen: list[int]) -> bool:
    seen.append(1)
    return len(seen) == rounds


def test_a_group_stopped_in_the_middle_goes_on_to_the_same_bits(
    study: Study, whole: Path, tmp_path: Path
) -> None:
    """And so it does where a kill left its runs at different rounds: one without a checkpoint,
    and one that is done.
    """
    out, group = tmp_path / "out", groups_of(study.runs)[1]
    assert len(group) == 4
    seen: list[int] = []
    with torch_threads(1), pytest.raises(KeyboardInterrupt):
        carried_out(group, out, 1e9, lambda: stop_after(3, seen))
    checkpoints = [Folder(out).run(run.key) / CHECKPOINT for run in group]
    assert all(path.exists() for path in checkpoints)
    seen = []
    first = checkpoints[2].read_bytes()
    with torch_threads(1), pytest.raises(KeyboardInterrupt):
        carried_out(group, out, 1e9, lambda: stop_after(2, seen))
    assert checkpoints[2].read_bytes() != first
    checkpoints[2].write_bytes(first)  # two rounds behind
    checkpoints[1].unlink()  # five
    shutil.copytree(
        whole / "runs" / group[3].key, Folder(out).run(group[3].key), dirs_exist_ok=True
    )
    with torch_threads(1):
        ended = carried_out(group, out, 0.0)
    assert ended == [(run, "finished") for run in group[:3]]
    # What was there first, had it been run as a study.
    (out / "study.yaml").write_text(study.resolved())
    run_study(study, out)
    assert_equal_bits(out, whole)
    assert_nothing_left_over(out)


def test_a_run_that_diverges_is_a_row_and_disturbs_no_other(tmp_path: Path) -> None:
    """The second of three; what it is must not matter to the bits of its neighbours."""
    keys = {
        "clients": "sgd",
        "servers": "sgd",
        "server_rates": 1.0,
        "seeds": 0,
        "executor": "stacked(runs=3)",
    }
    bad = study_of(**keys, client_rates=[0.1, 1e30, 0.2])
    good = study_of(**keys, client_rates=[0.1, 0.15, 0.2])
    out, other = (
        run_study(bad, tmp_path / "bad", checkpoint_seconds=0.0),
        run_study(good, tmp_path / "good"),
    )
    rows = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["finished", "diverged", "finished"]
    assert rows[1]["diverged_at"] == rows[1]["rounds"] < 8
    for i in (0, 2):
        key = bad.runs[i].key
        assert key == good.runs[i].key
        for name in ("rounds.parquet", "weights.safetensors"):
            assert (out / "runs" / key / name).read_bytes() == (
                other / "runs" / key / name
            ).read_bytes()
    assert_nothing_left_over(out)


@pytest.mark.slow
def test_two_processes_give_the_bits_of_one(study: Study, whole: Path, tmp_path: Path) -> None:
    run_study(study, tmp_path / "out", jobs=2)
    assert_equal_bits(tmp_path / "out", whole)


def test_the_seeds_of_a_trial_are_computed_at_once(tmp_path: Path) -> None:
    keys = {"clients": "sgd", "servers": "sgd", "server_rates": 1.0, "rounds": 3, "seeds": 0}
    tuning = {"trials": 2, "seeds": [5, 6, 7]}
    folders = [
        run_study(study_of(**keys, tuning=tuning, executor=executor), tmp_path / executor[:9])
        for executor in ("stacked", "stacked(runs=3)")
    ]
    ours, theirs = (
        pq.read_table(folder / "results" / "trials.parquet").to_pylist() for folder in folders
    )
    assert len(ours) == 2
    for trial, other in zip(ours, theirs, strict=True):
        assert trial["accuracy"] == pytest.approx(other["accuracy"], abs=0.01)
