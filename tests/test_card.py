"""What holds on a card: the same studies there and on the CPU come to the same, to rounding.

They need a card; `HEADSTART_CARD=cpu` lets the CPU stand in for one, to try the tests themselves.
`benchmarks/card.sh` runs them on one; without one it is tried dry.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from headstart.study.runner import run_study
from headstart.study.spec import Study

CARD = os.environ.get("HEADSTART_CARD") or ("cuda" if torch.cuda.is_available() else "")

pytestmark = pytest.mark.slow
on_card = pytest.mark.skipif(
    not CARD, reason="needs a card; HEADSTART_CARD=cpu lets the CPU stand in for one"
)

SMALL: dict[str, Any] = {
    "task": "digits", "model": "small-cnn(width=4)", "population": 20, "cohort": 4, "rounds": 4,
    "every": 2, "seeds": [0], "batch_size": 16, "client_rates": 0.05,
    "partitions": "dirichlet(alpha=1.0)",
}  # fmt: skip
LOSS, PROBED = 2e-3, 2e-2
"""Relative differences that rounding may come to after four rounds,
of losses and of other probes.
"""


def measured(folder: Path, *metrics: str) -> dict[tuple[Any, ...], float]:
    """The values of these metrics by run in the order of the study, round and metric."""
    keys = pq.read_table(folder / "results" / "runs.parquet")["run"].to_pylist()
    rows = pq.read_table(folder / "results" / "rounds.parquet").to_pylist()
    return {
        (keys.index(row["run"]), row["round"], row["metric"]): row["value"]
        for row in rows
        if row["metric"] in metrics
    }


def both(tmp_path: Path, **settings: Any) -> tuple[Path, Path]:
    """The folders of a study on the card and on the CPU."""
    there, here = (Study(**SMALL | settings | {"device": device}) for device in (CARD, "cpu"))
    return run_study(there, tmp_path / "there"), run_study(here, tmp_path / "here")


@on_card
@pytest.mark.parametrize(
    "executor", ["loop", "stacked", "stacked(runs=3)", "threads(workers=2)", "auto"]
)
@pytest.mark.parametrize("client", ["sgd", "mimelite", "scaffold"])
def test_a_study_on_the_card_is_that_of_the_cpu(tmp_path: Path, executor: str, client: str) -> None:
    there, here = both(tmp_path, executor=executor, clients=client, seeds=[0, 1, 2])
    ours, theirs = (
        measured(there, "test_loss", "local_loss"),
        measured(here, "test_loss", "local_loss"),
    )
    assert ours == pytest.approx(theirs, rel=LOSS)
    assert (
        len(
            {
                value
                for (_, round_, metric), value in ours.items()
                if (round_, metric) == (4, "test_loss")
            }
        )
        == 3
    )


@on_card
@pytest.mark.parametrize(
    "executor", ["stacked(compiled=True)", "threads(workers=2, compiled=True)"]
)
def test_compiled_steps_on_the_card_are_those_of_the_loop(tmp_path: Path, executor: str) -> None:
    study = Study(**SMALL | {"executor": executor, "device": CARD})
    plain = Study(**SMALL | {"executor": "loop", "device": "cpu"})
    ours, theirs = (run_study(each, tmp_path / str(i)) for i, each in enumerate((study, plain)))
    assert measured(ours, "test_loss") == pytest.approx(measured(theirs, "test_loss"), rel=LOSS)


@on_card
def test_probes_on_the_card_measure_what_they_measure_on_the_cpu(tmp_path: Path) -> None:
    probes = ["evaluation", "curvature(at='start', rows=64)", "alignment", "distance", "clients"]
    there, here = both(tmp_path, probes=probes)
    names = set(pq.read_table(here / "results" / "rounds.parquet")["metric"].to_pylist())
    assert len(names) > 10
    # Accuracies move by whole rows where two classes tie to rounding; they are held by the losses.
    names = {name for name in names if "accuracy" not in name and "seconds" not in name}
    assert measured(there, *names) == pytest.approx(measured(here, *names), rel=PROBED, abs=1e-5)


@on_card
def test_rows_that_stay_on_the_host_give_the_same_numbers(tmp_path: Path) -> None:
    there, here = both(tmp_path, data_mib=0)
    assert measured(there, "test_loss") == pytest.approx(measured(here, "test_loss"), rel=LOSS)


@on_card
def test_a_study_made_twice_on_the_card_has_the_same_bits(tmp_path: Path) -> None:
    study = Study(**SMALL | {"device": CARD})
    first, second = (run_study(study, tmp_path / name) for name in ("first", "second"))
    assert measured(first, "test_loss", "local_loss") == measured(second, "test_loss", "local_loss")


@on_card
def test_bfloat16_on_the_card_learns_as_float32_does(tmp_path: Path) -> None:
    coarse = run_study(
        Study(**SMALL | {"device": CARD, "precision": "bf16", "rounds": 12}), tmp_path / "bf16"
    )
    fine = run_study(Study(**SMALL | {"device": CARD, "rounds": 12}), tmp_path / "fp32")
    assert measured(coarse, "test_loss")[0, 12, "test_loss"] == pytest.approx(
        measured(fine, "test_loss")[0, 12, "test_loss"], rel=0.1
    )
    assert measured(coarse, "test_loss") != measured(fine, "test_loss")


@on_card
def test_weights_of_the_card_begin_a_study_on_the_cpu(tmp_path: Path) -> None:
    there = run_study(Study(**SMALL | {"device": CARD}), tmp_path / "there")
    (weights,) = there.glob("runs/*/weights.safetensors")
    begun = Study(**SMALL | {"starts": f"checkpoint(path='{weights}')", "device": "cpu"})
    here = run_study(begun, tmp_path / "here")
    assert measured(here, "test_loss")[0, 0, "test_loss"] == pytest.approx(
        measured(there, "test_loss")[0, 4, "test_loss"], rel=LOSS
    )


def test_without_a_card_its_script_is_tried_dry(tmp_path: Path) -> None:
    """Its tests, its speeds and its study at toy size, on a page."""
    root = Path(__file__).parents[1]
    tried = {**os.environ, "DRY": "1", "PYTHON": sys.executable, "PYTHONPATH": str(root / "src")}
    command = [root / "benchmarks" / "card.sh", tmp_path / "card"]
    ended = subprocess.run(command, env=tried, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    page = (tmp_path / "card" / "card.md").read_text()
    assert "`tests/test_card.py`: 2 passed" in page
    assert "\n18 runs so far.\n" in page
    assert "\n| digits-mlp | " in page


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_its_script_says_so(tmp_path: Path) -> None:
    command = [Path(__file__).parents[1] / "benchmarks" / "card.sh", tmp_path / "card"]
    ended = subprocess.run(
        command,
        env={**os.environ, "PYTHON": sys.executable},
        text=True,
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("error: torch sees no card; DRY=1 ")
