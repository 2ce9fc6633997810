"""`executor: auto`: timed once, written down, and the same for all who come later."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from headstart import files
from headstart.child_processes import cannot_fork
from headstart.engine.executors import auto
from headstart.engine.executors.auto import TIMED_STEPS
from headstart.engine.executors.base import Assignment, Cohort, Executor
from headstart.engine.plan import RoundPlan
from headstart.errors import HeadstartError
from headstart.study import executor_choice
from headstart.study.executor_choice import FILE
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS = {
    "task": "digits", "model": "logistic", "clients": ["sgd", "scaffold"], "executor": "auto",
    "population": 10, "cohort": 3, "rounds": 2, "seeds": [0], "server_rates": 1.0,
}  # fmt: skip


def table(out: Path) -> list[dict[str, Any]]:
    rows = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    return [
        {
            name: value
            for name, value in row.items()
            if name not in ("seconds", "ended", "run", "executor")
        }
        for row in rows
    ]


def test_the_fastest_is_written_down_and_used(tmp_path: Path) -> None:
    run_study(Study(**KEYS), tmp_path)
    timed = files.read_record(tmp_path / FILE)
    assert timed.keys() == {"sgd", "scaffold"}
    used = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    for row in used:
        kept = timed[row["client"]]
        seconds = {name: timing["seconds_per_round"] for name, timing in kept["timings"].items()}
        assert seconds.keys() == {"loop", "stacked", "threads(workers=1)"}
        assert row["executor"] == kept["executor"] == min(seconds, key=seconds.__getitem__)
        manifest = json.loads((tmp_path / "runs" / row["run"] / "run.json").read_text())
        assert manifest["executor_timings"] == kept["timings"]


def test_compiling_is_tried_for_long_studies_only_and_must_pay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Executors that do nothing but move a clock: a step of the cohort takes 2, 1 or .25 s,
    compiling 30 s.

    As on an accelerator, they return before the work is done, and who waits for the device lets the
    time pass.
    """
    clock, queued, seconds, tried = (
        0.0,
        0.0,
        {"loop": 2.0, "stacked": 1.0, "stacked(compiled=True)": 0.25},
        [],
    )

    def built(name: str) -> Executor:
        def compute(*arguments: object) -> dict[int, Cohort]:
            nonlocal queued
            compiles = "compiled" in name and name not in tried
            queued += TIMED_STEPS * seconds.get(name, 3.0) + (30.0 if compiles else 0.0)
            tried.append(name)
            return {}

        return Executor(lambda *parts: compute, compiled="compiled" in name)

    def wait() -> None:
        nonlocal clock, queued
        clock, queued = clock + queued, 0.0

    monkeypatch.setattr(auto, "_built", built)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(time, "perf_counter", lambda: clock)
    steps_K = np.array([1, 10])
    drawn = RoundPlan(
        1,
        np.arange(2),
        np.zeros((2, 10, 4), int),
        steps_K,
        steps_K,
        steps_K,
        np.zeros((2, 4), int),
        0.0,
    )
    network = SimpleNamespace(device=torch.device("cpu"), wait=wait)
    of: tuple[Any, Any, Any] = (network, None, None)
    asked = Assignment({}, {}, [], 0.1, drawn)
    short, long = (auto.time_candidates(*of, asked, rounds)[0] for rounds in (29, 30))
    others = {"threads"} if cannot_fork(str(network.device)) else {"threads", "processes"}
    assert short == {"loop": (20.0, 0.0), "stacked": (10.0, 0.0)} | dict.fromkeys(
        others, (30.0, 0.0)
    )
    assert long == short | {"stacked(compiled=True)": (2.5, 30.0)}
    assert auto.fastest(long) == "stacked(compiled=True)"


class Own(torch.autograd.Function):
    """A tanh with a backward pass of its own, which torch cannot vectorise."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor) -> torch.Tensor:
        outputs = torch.tanh(inputs)
        ctx.save_for_backward(outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (outputs,) = ctx.saved_tensors
        return gradients[0] * (1 - outputs**2)


class OwnTanh(torch.nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return Own.apply(inputs)


def own(input_shape: tuple[int, ...], outputs: int) -> torch.nn.Module:
    features = int(np.prod(input_shape))
    return torch.nn.Sequential(torch.nn.Flatten(), OwnTanh(), torch.nn.Linear(features, outputs))


def test_what_cannot_be_used_is_written_down_with_the_reason(tmp_path: Path) -> None:
    run_study(Study(**{**KEYS, "clients": "sgd", "model": f"{__name__}:own"}), tmp_path)
    kept = files.read_record(tmp_path / FILE)["sgd"]
    assert kept["executor"] == "loop"
    assert kept["timings"].keys() == {"loop"}
    assert kept["left_out"].keys() == {"stacked", "threads(workers=1)"}
    assert all("cannot be recorded" in reason for reason in kept["left_out"].values())


@pytest.mark.parametrize(("of_stacked", "tried"), [(2.9, True), (3.1, False)])
def test_several_runs_at_once_are_tried_where_stacked_is_not_far_behind(
    of_stacked: float, tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop takes a second a step, six runs at once 5 s together."""
    clock = 0.0

    seconds = {"loop": 1.0, "stacked": of_stacked, "stacked(runs=6)": 5.0}

    def built(name: str) -> Executor:
        def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
            nonlocal clock
            assert len(assignments) == places == (6 if "runs" in name else 1)
            clock += TIMED_STEPS * seconds.get(name, 4.0)
            return {}

        return Executor(lambda *parts: compute, runs=6 if "runs" in name else 1)

    monkeypatch.setattr(auto, "_built", built)
    monkeypatch.setattr(time, "perf_counter", lambda: clock)
    steps_K = np.array([TIMED_STEPS])
    rows = np.zeros((1, TIMED_STEPS, 4), int)
    drawn = RoundPlan(1, np.arange(1), rows, steps_K, steps_K, steps_K, rows[0], 0.0)
    network: Any = SimpleNamespace(device=torch.device("cpu"), wait=lambda: None)
    asked = Assignment({}, {}, [], 0.1, drawn)
    timings, _ = auto.time_candidates(network, None, None, asked, runs=6)  # type: ignore[arg-type]
    together = timings.get("stacked(runs=6)")
    assert together == (pytest.approx((TIMED_STEPS * 5.0 / 6, 0.0)) if tried else None)
    assert auto.fastest(timings) == ("stacked(runs=6)" if tried else "loop")


def test_runs_that_go_together_are_timed_together_and_have_the_bits_of_that_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five seeds from one start on one core: five at once, of either client optimizer."""
    monkeypatch.setattr(executor_choice.os, "cpu_count", lambda: 1)  # type: ignore[attr-defined]
    monkeypatch.setattr(
        executor_choice, "fastest", lambda timings: next(name for name in timings if "runs" in name)
    )
    keys = {**KEYS, "seeds": [0, 1, 2, 3, 4], "starts": "random"}
    run_study(Study(**keys), tmp_path / "auto")
    timed = files.read_record(tmp_path / "auto" / FILE)
    assert {name: kept["executor"] for name, kept in timed.items()} == dict.fromkeys(
        ("sgd", "scaffold"), "stacked(runs=5)"
    )
    run_study(Study(**{**keys, "executor": "stacked(runs=5)"}), tmp_path / "plain")
    assert table(tmp_path / "auto") == table(tmp_path / "plain")


@pytest.mark.parametrize("chosen", ["loop", "stacked"])
def test_a_choice_that_was_made_holds_and_gives_that_executors_bits(
    chosen: str, tmp_path: Path
) -> None:
    auto, plain = tmp_path / "auto", tmp_path / "plain"
    study = Study(**KEYS)
    auto.mkdir()
    (auto / "study.yaml").write_text(study.resolved())
    choice = {"executor": chosen, "timings": {}}
    files.write_record(auto / FILE, dict.fromkeys(("sgd", "scaffold"), choice))
    run_study(study, auto)
    run_study(Study(**{**KEYS, "executor": chosen}), plain)
    assert table(auto) == table(plain)


@pytest.mark.parametrize("content", ["{", '{"sgd": {}}', '{"sgd": {"executor": "no such"}}'])
def test_a_damaged_choice_is_one_line(content: str, tmp_path: Path) -> None:
    study = Study(**KEYS)
    (tmp_path / "study.yaml").write_text(study.resolved())
    (tmp_path / FILE).write_text(content)
    with pytest.raises(HeadstartError, match=r"executors\.json is damaged .*; delete it"):
        run_study(study, tmp_path)
