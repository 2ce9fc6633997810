"""Trackers are told what runs measure while they are under way, change nothing,
and stop nothing.
"""

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import headstart
from headstart.errors import HeadstartError


def study(**keys: Any) -> Any:
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(160, 3, generator=draw)
    labels = (inputs[:, 0] > 0).long()
    clients = [(inputs[i:120:6], labels[i:120:6]) for i in range(6)]
    defaults = {
        "name": "visits", "task": headstart.own_task(clients, (inputs[120:], labels[120:])),
        "model": lambda: nn.Linear(3, 2), "seeds": [0, 1], "rounds": 4, "every": 2, "cohort": 3,
        "executor": "stacked(runs=1)",
    }  # fmt: skip
    return headstart.Study(**{**defaults, **keys})


class Kept:
    def __init__(self) -> None:
        self.rows, self.records, self.order, self.closed = {}, {}, [], 0  # type: ignore[var-annotated]

    def measured(self, run: Any, rows: Any) -> None:
        self.rows.setdefault(run.key, []).extend(rows)
        self.order.append(("measured", run.key))

    def ended(self, run: Any, record: Any) -> None:
        self.records[run.key] = record
        self.order.append(("ended", run.key))

    def close(self) -> None:
        self.closed += 1


def rows_of(results: Any) -> Any:
    found: dict[Any, Any] = {}
    for row in results.rounds.to_pylist():
        found.setdefault(row["run"], []).append((row["round"], row["metric"], row["value"]))
    return found


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_tracker_is_told_all_that_is_measured_as_it_is_and_the_record_at_the_end(
    tmp_path: Path, jobs: int
) -> None:
    kept, grid = Kept(), study()
    results = headstart.run_study(grid, tmp_path / "out", jobs=jobs, track=kept)
    assert kept.rows == rows_of(results)
    assert {key: record["status"] for key, record in kept.records.items()} == dict.fromkeys(
        kept.rows, "finished"
    )
    for key in kept.rows:
        mine = [what for what, of in kept.order if of == key]
        assert mine[-1] == "ended"
        if jobs == 1:
            assert mine == ["measured"] * 4 + ["ended"]  # rounds 0, 2 and 4, and the look back
    assert kept.closed == 1


def test_runs_and_keys_are_the_same_with_and_without(tmp_path: Path) -> None:
    without = headstart.run_study(study(), tmp_path / "without")
    tracked = headstart.run_study(study(), tmp_path / "with", track=[Kept(), Kept()])
    assert tracked.rounds.equals(without.rounds)
    assert (tracked / "study.yaml").read_text() == (without / "study.yaml").read_text()


def test_of_a_run_that_goes_on_what_was_before_comes_too(tmp_path: Path) -> None:
    class Interrupting(Kept):
        def measured(self, run: Any, rows: Any) -> None:
            super().measured(run, rows)
            if any(round_ == 2 for round_, _, _ in rows):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        headstart.run_study(
            study(seeds=[0]), tmp_path / "out", checkpoint_seconds=0.0, track=Interrupting()
        )
    kept = Kept()
    results = headstart.run_study(study(seeds=[0]), tmp_path / "out", track=kept)
    assert kept.rows == rows_of(results)


@pytest.mark.parametrize("method", ["measured", "ended", "close"])
@pytest.mark.parametrize("error", [RuntimeError("no\nroute"), SystemExit(3)])
def test_a_tracker_that_fails_stops_nothing_and_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, error: Any
) -> None:
    class Failing(Kept):
        calls = 0

    def fail(*arguments: Any) -> None:
        Failing.calls += 1
        raise error

    setattr(Failing, method, staticmethod(fail))
    kept = Kept()
    results = headstart.run_study(study(), tmp_path / "out", track=[Failing(), kept])
    assert len(results.runs) == 2
    assert kept.rows == rows_of(results)
    assert Failing.calls == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: the tracker Failing failed ({type(error).__name__}: ")
    assert line.endswith("and is left alone; the study goes on")


@pytest.mark.parametrize(
    ("track", "line"),
    [
        ("tensorbord", "track: unknown tracker 'tensorbord'; did you mean 'tensorboard'?"),
        (3, "track: expected one of tensorboard, mlflow, wandb, or an object with the methods "
         "measured, ended and close, got int"),
    ],
)  # fmt: skip
def test_what_is_no_tracker_gets_one_line_before_the_study(
    tmp_path: Path, track: int | str, line: str
) -> None:
    with pytest.raises(HeadstartError) as caught:
        headstart.run_study(study(), tmp_path / "out", track=track)
    assert str(caught.value) == line
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_is_not_installed_gets_one_line_before_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.delitem(sys.modules, "headstart.trackers.wandb", raising=False)
    with pytest.raises(HeadstartError, match=r"^track: wandb is not installed .*\[trackers\]'$"):
        headstart.run_study(study(), tmp_path / "out", track="wandb")
    assert not (tmp_path / "out").exists()


def test_tensorboard_has_every_scalar(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    results = headstart.run_study(study(), tmp_path / "out", track="tensorboard")
    for run, rows in rows_of(results).items():
        (folder,) = (results / "trackers" / "tensorboard").glob(f"*{run[:6]}*")
        log = EventAccumulator(str(folder)).Reload()
        expected: dict[Any, Any] = {}
        for round_, metric, value in rows:
            expected.setdefault(metric, []).append((round_, pytest.approx(value, rel=1e-6)))
        found = {
            tag: [(event.step, event.value) for event in log.Scalars(tag)]
            for tag in log.Tags()["scalars"]
        }
        assert found == expected
        texts = {tag.partition("/")[0] for tag in log.Tags()["tensors"]}
        assert texts == {"record", "parameters"}


@pytest.mark.slow
def test_mlflow_has_every_metric_and_a_run_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    results = headstart.run_study(study(), tmp_path / "out", track="mlflow")
    headstart.run_study(study(seeds=[0, 1, 2]), tmp_path / "out", track="mlflow")
    client = MlflowClient(f"sqlite:///{tmp_path / 'out' / 'trackers' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("visits")
    runs = {
        run.data.tags["headstart.run"]: run
        for run in client.search_runs([experiment.experiment_id])
    }
    assert len(runs) == 3
    for key, rows in rows_of(results).items():
        assert runs[key].info.status == "FINISHED"
        assert runs[key].data.params["start"] == "random"
        accuracy = {
            each.step: each.value
            for each in client.get_metric_history(runs[key].info.run_id, "test_accuracy")
        }
        assert accuracy == {
            round_: value for round_, metric, value in rows if metric == "test_accuracy"
        }


class FakeRun:
    def __init__(self, keys: Any) -> None:
        self.keys, self.logged, self.summary, self.steps, self.code = keys, [], {}, [], None  # type: ignore[var-annotated]

    def define_metric(self, name: Any, step_metric: Any) -> None:
        self.steps.append((name, step_metric))

    def log(self, values: Any) -> None:
        self.logged.append(values)

    def finish(self, exit_code: Any) -> None:
        self.code = exit_code


def test_weights_and_biases_is_given_rounds_config_and_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the package, which needs a service of its own;
    its calls are those of wandb 0.22.
    """
    begun = []

    def init(**keys: Any) -> Any:
        begun.append(FakeRun(keys))
        return begun[-1]

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    monkeypatch.delitem(sys.modules, "headstart.trackers.wandb", raising=False)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    results = headstart.run_study(study(), tmp_path / "out", track="wandb")
    monkeypatch.delitem(sys.modules, "headstart.trackers.wandb", raising=False)
    assert {run.keys["id"] for run in begun} == set(rows_of(results))
    for run in begun:
        assert (run.keys["project"], run.keys["config"]["start"], run.code) == (
            "visits",
            "random",
            0,
        )
        assert run.steps == [("*", "round")]
        found = [
            (v["round"], name, value)
            for v in run.logged
            for name, value in v.items()
            if name != "round"
        ]
        assert found == rows_of(results)[run.keys["id"]]
        assert run.summary["status"] == "finished"


@pytest.mark.slow
def test_the_command_line_takes_trackers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    text = "task: digits\nmodel: logistic\nseeds: [0]\nrounds: 2\npopulation: 10\ncohort: 3\n"
    (tmp_path / "study.yaml").write_text(text)
    command = [sys.executable, "-m", "headstart", "run", "study.yaml", "--out", "out", "--track"]
    ended = subprocess.run(
        [*command, "tensorboard"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert list((tmp_path / "out" / "trackers" / "tensorboard").glob("*/events.out.tfevents.*"))
    wrong = subprocess.run(
        [*command, "none"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stderr) == (
        2, "error: track: unknown tracker 'none'; known: mlflow, tensorboard, wandb\n"
    )  # fmt: skip
