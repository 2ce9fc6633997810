"""Other training is held to plain gradient descent written here, and to counts of steps."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tests.study.conftest import of_ends
from torch.nn.functional import cross_entropy

from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.report.judgement.reading import read
from headstart.report.measures.baselines import gap
from headstart.report.pages import study_page
from headstart.study.baselines.other_training import baseline_runs
from headstart.study.check import check
from headstart.study.data import task_of
from headstart.study.federations import clients_of, federation_of
from headstart.study.rounds import Progress, do_rounds
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS: dict[str, Any] = {
    "task": "digits", "model": "logistic", "partitions": "dirichlet(alpha=0.3)", "population": 12,
    "cohort": 4, "rounds": 3, "every": 1, "seeds": [0, 1], "batch_size": 8, "client_rates": 0.5,
    "probes": ["evaluation"],
}  # fmt: skip


def gradient_descent(rows: Any, rate: float, steps: int) -> torch.Tensor:
    """The weights of a softmax regression on rows of digits, from zeros, after full-batch steps."""
    task = task_of(Study(**KEYS).task)
    x, y = task.train.inputs[rows].flatten(1).double(), task.train.targets[rows]
    weight, bias = (
        torch.zeros(10, x.shape[1], dtype=torch.float64),
        torch.zeros(10, dtype=torch.float64),
    )
    for _ in range(steps):
        for leaf in (weight, bias):
            leaf.requires_grad_(True)
        loss = cross_entropy(x @ weight.T + bias, y)
        grads = torch.autograd.grad(loss, (weight, bias))
        with torch.no_grad():
            weight, bias = weight - rate * grads[0], bias - rate * grads[1]
    return torch.cat([weight.flatten(), bias])


def trained(run: Any) -> torch.Tensor:
    """The final weights of a run that begins at zeros."""
    federation = federation_of(run)
    zeros = {name: torch.zeros_like(leaf) for name, leaf in federation.network.initial(0).items()}
    x = do_rounds(federation, Progress(begin(federation, zeros)), run.rounds, 100, []).state.x
    leaves = sorted(x.values(), key=lambda leaf: -leaf.ndim)
    return torch.cat([leaf.flatten() for leaf in leaves]).double()


def others(**keys: Any) -> Any:
    study = Study(**KEYS | {"baselines": ["centralised", "local"], "local_clients": 3} | keys)
    return study, list(study.baselines)


@pytest.mark.parametrize("executor", ["loop", "stacked"])
def test_on_all_rows_it_is_plain_gradient_descent(executor: str) -> None:
    _, (central, *_) = others(clients=["gd"], local_epochs=2, executor=executor)
    rows = np.arange(len(task_of(central.task).train))
    expected = gradient_descent(rows, 0.5, 3 * 2)
    torch.testing.assert_close(trained(central), expected, rtol=1e-4, atol=1e-6)


def test_a_client_alone_is_plain_gradient_descent_on_its_rows() -> None:
    _, runs = others(clients=["gd"], local_epochs=2)
    locals_ = [run for run in runs if run.baseline == "local" and run.seed == 1]
    assert len({run.alone for run in locals_}) == 3
    for run in locals_:
        rows = clients_of(run.task, run.partition, run.population, run.seed)[run.alone]
        torch.testing.assert_close(
            trained(run), gradient_descent(rows, 0.5, 6), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("epochs", [1, 3, 0.5])
def test_they_take_as_many_steps_as_a_client_of_the_run(epochs: float) -> None:
    study, runs = others(local_epochs=epochs)
    for run in runs:
        dealt = clients_of(run.task, run.partition, run.population, run.seed)
        now = federation_of(run).plans(1)
        steps_N = np.maximum(1, np.ceil(epochs * np.ceil(dealt.sizes_N / 8)))
        if run.baseline == "centralised":
            assert now.steps_K.tolist() == [round(steps_N.mean())]
        else:
            assert now.steps_K.tolist() == [steps_N[run.alone]]
        of = study.baselines[run]
        assert (of.start, of.client, of.server, of.client_rate, of.rounds, of.seed) == (
            run.start, run.client, run.server, run.client_rate, run.rounds, run.seed,
        )  # fmt: skip


def test_keys_of_ordinary_runs_are_as_without_them() -> None:
    study, runs = others()
    assert [run.key for run in study.runs] == [run.key for run in Study(**KEYS).runs]
    assert not {"baseline", "alone"} & study.runs[0].spec().keys()
    keys = {run.key for run in [*study.runs, *runs]}
    assert len(keys) == 2 + 2 * (1 + 3)


def test_as_many_clients_as_a_cohort_train_alone_if_nothing_is_said() -> None:
    study = Study(**KEYS, baselines="local")
    assert len(study.baselines) == 2 * 4
    assert not Study(**KEYS).baselines


def test_only_the_setting_that_is_named_first_is_held_against_them() -> None:
    study, runs = others(also=[{"local_epochs": 5}, {"starts": ["proxy"]}])
    assert {run.local_epochs for run in runs} == {1}
    assert {str(run.start) for run in runs} == {str(run.start) for run in study.runs}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"baselines": ["central"]}, r"baselines\[0\]: .*centralised"),
        ({"baselines": []}, r"baselines: "),
        ({"baselines": ["local", "local"]}, r"baselines\[1\]: local is there twice; remove one"),
        ({"local_clients": 3}, "local_clients: expected it beside `baselines: local`"),
        ({"baselines": ["local"], "local_clients": 0}, "local_clients: "),
        (
            {
                "baselines": ["local"],
                "local_clients": 600,
                "population": 700,
                "seeds": list(range(100)),
            },
            r"baselines: expected at most 50,000 runs, got about 60,100 \(601 for each of 100 "
            r"runs\)",
        ),
        (
            {"baselines": ["local"], "local_clients": 13},
            r"local_clients: expected at most the number of clients \(12\), got 13",
        ),
    ],
)
def test_slips_get_one_line_before_any_training(keys: dict[str, Any], expected: str) -> None:
    with pytest.raises(HeadstartError, match=f"^{expected}") as caught:
        check(Study(**KEYS | keys))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study, _ = others(starts=["random", "proxy"])
    return run_study(study, tmp_path_factory.mktemp("held") / "out")


def test_their_outcomes_stand_beside_those_of_the_runs(out: Path) -> None:
    study, runs = others(starts=["random", "proxy"])
    table = pq.read_table(out / "results" / "runs.parquet")
    assert table["run"].to_pylist() == [run.key for run in study.runs]
    rows = pq.read_table(out / "results" / "baseline_runs.parquet").to_pylist()
    assert [(row["run"], row["held_against"], row["alone"]) for row in rows] == [
        (run.key, study.baselines[run].key, run.alone) for run in runs
    ]
    grid = read(out).grid
    assert len(grid.records.runs) == grid.records.planned == 4
    cell = grid.standings["proxy"].best_cell
    assert cell is not None
    found = gap(grid, cell)
    assert found is not None
    for run in cell.runs:
        own = [row for row in rows if row["held_against"] == run.run]
        assert found.centralised[run.seed] == own[0]["test_accuracy"]
        assert found.local[run.seed] == pytest.approx(
            np.mean([row["test_accuracy"] for row in own[1:]])
        )
        assert found.federated[run.seed] == run.test_accuracy


def test_the_page_says_what_share_of_the_gap_is_closed(out: Path) -> None:
    page = study_page.write(out).read_text()
    assert 'id="gap"' in page
    assert "for clients that train alone" in page
    assert "(alone: 3 clients drawn at random in every seed, which `local_clients` sets)" in page
    assert pq.read_table(out / "tables" / "gap.parquet")["start"].to_pylist() == ["random", "proxy"]


def test_a_study_that_is_done_gains_them_and_does_not_lose_them(tmp_path: Path) -> None:
    keys = KEYS | {"seeds": [0]}
    folder = run_study(Study(**keys), tmp_path / "out")
    ended: list[Any] = []
    more = Study(**keys, baselines=["centralised"])
    run_study(more, folder, watch=of_ends(lambda event: ended.append(event.run)))
    assert [run.baseline for run in ended] == ["centralised"]
    with pytest.raises(HeadstartError, match="another study"):
        run_study(Study(**keys), folder)


def test_what_is_gone_is_done_again_to_the_bit(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    study, runs = others(starts=["random", "proxy"])
    shutil.rmtree(copy / "runs" / runs[1].key)
    run_study(study, copy)
    name = f"runs/{runs[1].key}/weights.safetensors"
    assert (copy / name).read_bytes() == (out / name).read_bytes()


def test_runs_of_other_rates_have_their_own() -> None:
    study, _ = others()
    runs = study.runs
    found = baseline_runs([replace(run, client_rate=0.25) for run in runs], study.file)
    assert {run.client_rate for run in found} == {0.25}
