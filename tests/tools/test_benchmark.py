"""What `headstart bench` measures: jobs of the stated sizes, and figures that belong together."""

import importlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from headstart.child_processes import cannot_fork
from headstart.cli import app  # type: ignore[attr-defined]
from headstart.engine.plan import plan
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.tools import benchmark
from headstart.tools.benchmark import JOBS, federation_of, measure

PEERS = Path(__file__).parents[2] / "benchmarks" / "peers"

FORKS = not cannot_fork("cpu")


@pytest.fixture(autouse=True)
def no_more_rounds_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "AT_LEAST_SECONDS", 0.0)


@pytest.mark.parametrize("executor", ["stacked", *(["processes(workers=2)"] if FORKS else [])])
def test_its_figures_belong_together(executor: str) -> None:
    found = measure("digits-mlp", executor, rounds=3, warm_up=1)
    assert (found["job"], found["executor"], found["rounds"]) == ("digits-mlp", executor, 3)
    assert found["samples_per_second"] * found["seconds_per_round"] == pytest.approx(
        20 * 18, rel=0.01
    )
    # 64 to 64 to 10: two products forward, two for the weights, one for the inputs of the second
    # layer.
    assert found["flops_per_sample"] == 2 * (2 * (64 * 64 + 64 * 10) + 64 * 10)
    assert found["threads"] == (2 if "workers=2" in executor else torch.get_num_threads())


def test_the_share_of_the_peak_is_of_a_product_of_the_same_precision_and_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def peak(network: Network, precision: str, threads: int) -> float:
        asked.append((precision, threads))
        return 1e5  # so low that the rounding of the share is none, however slow the machine is

    monkeypatch.setattr(benchmark, "_peak_flops", peak)
    found = measure("digits-mlp", "threads(workers=3)", precision="bf16", rounds=1, warm_up=1)
    assert asked == [("bf16", 3)]
    assert found["share_of_peak"] == pytest.approx(
        found["samples_per_second"] * found["flops_per_sample"] / 1e5, 1e-3
    )


def test_rounds_of_a_second_at_least_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "AT_LEAST_SECONDS", 0.05)
    found = measure("digits-mlp", "stacked", rounds=1, warm_up=1)
    assert found["seconds_in_all"] >= 0.05
    assert found["rounds"] == pytest.approx(
        found["seconds_in_all"] / found["seconds_per_round"], rel=0.05
    )


def test_auto_says_what_it_chose() -> None:
    found = measure("digits-mlp", "auto", rounds=1, warm_up=1)
    assert found["executor"] == min(
        found["timings"], key=lambda name: found["timings"][name]["seconds_per_round"]
    )


@pytest.mark.parametrize(("every", "times"), [(0, 0), (2, 2), (3, 1)])
def test_evaluation_happens_on_request(
    every: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated, evaluate = [], benchmark.evaluate  # type: ignore[attr-defined]
    monkeypatch.setattr(benchmark, "evaluate", lambda *given: evaluated.append(evaluate(*given)))
    found = measure("digits-mlp", "stacked", rounds=4, warm_up=1, every=every)
    assert found["seconds_in_all"] > 0
    assert len(evaluated) == times


def test_its_jobs_are_those_of_the_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PEERS)
    monkeypatch.delenv("HEADSTART_DATA", raising=False)
    theirs = importlib.import_module("jobs").JOBS
    assert JOBS.keys() - theirs.keys() == {"cifar-resnet18"}
    for name, job in theirs.items():
        ours, fields = JOBS[name], asdict(job)
        assert ours.model.startswith(fields.pop("model"))
        assert ours.outputs == fields.pop("classes")
        assert {field: getattr(ours, field) for field in fields} == fields
        assert np.array_equal(ours.sizes(), job.sizes())


@pytest.mark.skipif(not FORKS, reason="no forked processes here")
def test_memory_that_processes_hold_alone_counts() -> None:
    alone, several = (
        measure("digits-mlp", executor, rounds=1, warm_up=1)
        for executor in ("threads", "processes")
    )
    assert several["peak_rss_mib"] > alone["peak_rss_mib"] + 5


@pytest.mark.parametrize("job", JOBS)
def test_a_round_of_a_job_is_as_large_as_it_says(job: str) -> None:
    if job == "stackoverflow-gpt2":
        pytest.importorskip("transformers")
    federation = federation_of(JOBS[job], "loop", "fp32")
    drawn = plan(0, 1, federation.clients, federation.schedule)
    assert len(federation.clients) == JOBS[job].clients
    assert drawn.rows_KSB.shape[::2] == (JOBS[job].cohort, JOBS[job].batch_size)
    rows = np.sort(drawn.rows_KSB[drawn.rows_KSB >= 0])
    assert np.array_equal(
        rows, np.sort(np.concatenate([federation.clients[k] for k in drawn.clients_K]))
    )
    assert federation.task.input_shape == JOBS[job].input_shape


def test_an_unknown_job_names_the_nearest() -> None:
    with pytest.raises(HeadstartError, match=r"unknown benchmark 'digits-mpl'.*digits-mlp"):
        measure("digits-mpl")


def test_the_command_prints_one_line_of_json() -> None:
    done = CliRunner().invoke(
        app, ["bench", "digits-mlp", "--json", "--rounds", "1", "--executor", "loop"]
    )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["executor"] == "loop"
