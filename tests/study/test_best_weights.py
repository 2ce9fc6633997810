"""The weights of the best round: those that measured highest, also after interruptions;
no key changes.
"""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from tests.study.conftest import carried_out

from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.results.model_file import found, write
from headstart.starts.weights import load, note_of
from headstart.study.federations import network_of
from headstart.study.folder.store import BEST, WEIGHTS
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.digits import digits

KEYS = {
    "task": "digits", "model": "mlp(hidden=[6])", "population": 20, "cohort": 3, "seeds": [0, 1],
    "rounds": 6, "every": 1, "partitions": "dirichlet(alpha=0.1)", "client_rates": 0.5,
    "probes": ["evaluation"],
}  # fmt: skip


def study(**keys: Any) -> Study:
    return Study(**{**KEYS, "keep_weights": "both", **keys})


def accuracies(out: Path, key: str) -> dict[int, float]:
    rows = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    return {
        row["round"]: row["value"]
        for row in rows
        if row["run"] == key and row["metric"] == "test_accuracy"
    }


@pytest.mark.parametrize("keys", [{}, {"trainable": "head"}, {"client_rates": 100.0}])
def test_they_are_those_of_the_round_that_measured_highest(
    keys: dict[str, Any], tmp_path: Path
) -> None:
    ours = study(**keys)
    out = run_study(ours, tmp_path / "out")
    for run in ours.runs:
        measured = accuracies(out, run.key)
        note, state = (
            note_of(out / "runs" / run.key / BEST),
            load(out / "runs" / run.key / BEST).state,
        )
        best = max(measured, key=lambda round_: (measured[round_], -round_))
        assert (note["round"], note["accuracy"]) == (best, measured[best])
        outputs = network_of(run.model, run.task)(state, digits().test.inputs)
        right = (outputs.argmax(-1) == digits().test.targets).double().mean()
        assert float(right) == pytest.approx(measured[best], abs=1e-9)


def test_some_best_round_is_not_the_last(tmp_path: Path) -> None:
    """Else the test before would show little."""
    ours = study()
    out = run_study(ours, tmp_path / "out")
    rounds = [note_of(out / "runs" / run.key / BEST)["round"] for run in ours.runs]
    assert min(rounds) < 6
    assert write(found(out, seed=0, of_best_round=True), tmp_path / "w.safetensors")[2].startswith(
        f"round {rounds[0]}: "
    )
    assert (
        load_file(tmp_path / "w.safetensors").keys()
        == load_file(out / "runs" / ours.runs[0].key / BEST).keys()
    )


def test_an_interrupted_run_keeps_the_same(tmp_path: Path) -> None:
    run = study(seeds=[0]).runs[0]
    whole = run_study(study(seeds=[0]), tmp_path / "whole")
    with torch_threads(1):
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                carried_out((run,), tmp_path / "out", 0.0, lambda: True)
        carried_out((run,), tmp_path / "out", 0.0)
    for name in (BEST, WEIGHTS):
        mine, theirs = (folder / "runs" / run.key / name for folder in (tmp_path / "out", whole))
        assert mine.read_bytes() == theirs.read_bytes()


def test_what_is_kept_is_no_part_of_a_key(tmp_path: Path) -> None:
    last = study(keep_weights="last", seeds=[0])
    assert [run.key for run in study(seeds=[0]).runs] == [run.key for run in last.runs]
    out = run_study(last, tmp_path / "out")
    assert not list(out.rglob(BEST))
    with pytest.raises(
        HeadstartError, match=r"best\.safetensors: not found; a study with keep_weights: both keeps"
    ):
        write(found(out, of_best_round=True), tmp_path / "w.safetensors")
    run_study(study(seeds=[0, 1]), out)  # goes on; the run that is done stays as it is
    assert len(list(out.rglob(BEST))) == 1


def test_more_rounds_keep_the_best_of_all(tmp_path: Path) -> None:
    run_study(study(seeds=[0]), tmp_path / "out")
    longer = study(seeds=[0], rounds=9)
    out, whole = run_study(longer, tmp_path / "out"), run_study(longer, tmp_path / "whole")
    name = f"runs/{longer.runs[0].key}/{BEST}"
    best = note_of(whole / name)["round"]
    # It is gone where it was the last round of the shorter run, which the longer does not measure.
    if (out / name).exists():
        assert note_of(out / name)["round"] == best
        ours, theirs = load(out / name).state, load(whole / name).state
        assert all(torch.equal(ours[leaf], theirs[leaf]) for leaf in ours)
