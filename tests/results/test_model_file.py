"""The weights of the best run by name: those of its file, with what they are;
what is not there is one line.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

import headstart
from headstart.errors import HeadstartError
from headstart.results.model_file import found, write

from .conftest import module


def test_the_best_run_is_written_and_told(folder: Path, tmp_path: Path) -> None:
    best = headstart.load(folder).best()
    lines = write(found(folder), tmp_path / "best.safetensors")
    assert (tmp_path / "best.safetensors").read_bytes() == best.path().read_bytes()
    assert lines[0] == str(best)
    assert lines[1].startswith(f"seed {best.seed}: ")
    module().load_state_dict(load_file(tmp_path / "best.safetensors"))
    write(found(folder), tmp_path / "best.safetensors")  # ours is written over


def test_another_run_is_named_by_start_pair_and_seed_or_by_its_key(
    folder: Path, tmp_path: Path
) -> None:
    other = headstart.load(folder).best("random", "proximal(mu=0.5)+sgd")
    assert (other.start, other.client, other.server) == ("random", "proximal(mu=0.5)", "sgd")
    into = tmp_path / "other.safetensors"
    lines = write(found(folder, "random", "proximal(mu=0.5) + sgd", 2), into)
    assert into.read_bytes() == other.path(2).read_bytes()
    by_key = write(found(folder, run=other.runs[2][:10]), into)
    assert into.read_bytes() == other.path(2).read_bytes()
    assert by_key[0].startswith("proximal(mu=0.5) + sgd from random, rates 0.1 and 1, seed 2: ")
    assert lines[1].split(": ")[1].split(",")[0] == by_key[0].split(": ")[1]


def test_of_a_study_that_was_tuned_twice_each_seed_has_its_own_run(tmp_path: Path) -> None:
    """Seeds 0 and 2 have the rates of one tuning, and count once: seed 2 was a KeyError."""
    study = headstart.Study(
        task="digits", model="logistic", seeds=[0, 1, 2], rounds=2, every=1, population=8, cohort=2,
        tuning={"trials": 1, "repeats": 2, "rounds": 1},
    )  # fmt: skip
    headstart.run_study(study, tmp_path / "out")
    best = headstart.load(tmp_path / "out").best()
    runs = headstart.load(tmp_path / "out").runs.to_pylist()
    assert str(best).endswith(" over 2 tunings")
    assert best.accuracies == {run["seed"]: run["test_accuracy"] for run in runs}
    lines = write(found(tmp_path / "out", seed=2), tmp_path / "w.safetensors")
    assert lines[1].startswith(f"seed 2: {100 * best.accuracies[2]:.1f}%")
    of_rates = [run for run in runs if run["client_rate"] == best.client_rate]
    assert best.seed == max(of_rates, key=lambda run: float(run["test_accuracy"]))["seed"]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"start": "randm"}, "unknown start 'randm'; did you mean 'random'?"),
        (
            {"pair": "sgd + adam"},
            "pair: expected one of sgd + sgd, proximal(mu=0.5) + sgd, got 'sgd + adam'",
        ),
        ({"seed": 9}, "seed: expected one of 0, 1, 2, got 9"),
        ({"run": "zzz"}, "--run: expected a run of the study, got 'zzz'; there is none"),
        ({"run": "a", "seed": 1}, "--run names one run; expected it without --seed"),
    ],
)
def test_what_is_not_there_is_one_line(folder: Path, tmp_path: Path, asked: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        write(found(folder, **asked), tmp_path / "w.safetensors")
    assert line in str(caught.value)
    assert not (tmp_path / "w.safetensors").exists()


def test_files_of_others_are_not_written_over(folder: Path, tmp_path: Path) -> None:
    for path in (
        tmp_path / "model.pt",
        tmp_path / "theirs.safetensors",
        tmp_path / "link.safetensors",
    ):
        if path.suffix == ".safetensors":
            save_file(module().state_dict(), tmp_path / "theirs.safetensors")
        if path.stem == "link":
            path.symlink_to(tmp_path / "nowhere.safetensors")
        with pytest.raises(HeadstartError, match=r"expected the name of a file|no weights of ours"):
            write(found(folder), path)


def test_a_folder_without_finished_runs_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError) as caught:
        write(found(tmp_path), tmp_path / "w.safetensors")
    assert "\n" not in str(caught.value)


def test_weights_of_another_study_are_not_written_over(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (weights,) = list(other.glob("runs/*/weights.safetensors"))[:1]
    before = weights.read_bytes()
    with pytest.raises(
        HeadstartError,
        match=r"is there already, in the study of .*other; choose a name outside of it",
    ):
        write(found(folder), weights)
    assert weights.read_bytes() == before
