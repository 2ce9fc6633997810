"""A study of functions, modules and tensors: the same numbers as by names, the same keys in another
process, no mixing.
"""

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

import headstart
from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.probes.base import Probe
from headstart.report.runs.records import read
from headstart.servers.base import SERVERS
from headstart.starts.base import Start
from headstart.study.folder.store import Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS: dict[str, Any] = {
    "seeds": [0],
    "rounds": 4,
    "every": 2,
    "cohort": 3,
    "probes": ["evaluation"],
}


def pairs(count: Any = 6, rows: Any = 20, arrays: Any = False) -> Any:
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(count * rows, 3, generator=draw)
    labels = (inputs[:, 0] > 0).long()
    parts = [(inputs[i::count], labels[i::count]) for i in range(count)]
    return [(x.numpy(), y.numpy()) for x, y in parts] if arrays else parts


def task(**keys: Any) -> Any:
    return headstart.own_task(pairs(), pairs(1)[0], **keys)


def net() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def net_for(input_shape: Any, outputs: Any, width: Any = 4) -> Any:
    return nn.Sequential(nn.Linear(*input_shape, width), nn.ReLU(), nn.Linear(width, outputs))  # type: ignore[call-arg]


def constant(value: Any) -> Any:
    return {name: torch.full_like(leaf, value) for name, leaf in net().state_dict().items()}


def accuracies(out: Any) -> Any:
    return [
        row["test_accuracy"] for row in pq.read_table(out / "results" / "runs.parquet").to_pylist()
    ]


def curves(out: Any) -> Any:
    rounds = pq.read_table(out / "results" / "rounds.parquet")
    return rounds.drop_columns(["run"]).to_pylist()


def study(**keys: Any) -> Any:
    return Study(**{"task": task(), "model": net, **KEYS, **keys})


def test_it_has_the_numbers_of_simulate(tmp_path: Path) -> None:
    out = run_study(study(), tmp_path / "out")
    data, test = pairs(), pairs(1)[0]
    result = headstart.simulate(
        net, data, test, rounds=4, every=2, cohort=3, batch_size=8, probes=["evaluation"]
    )
    ours = {(row["round"], row["metric"]): row["value"] for row in curves(out)}
    assert ours == pytest.approx(
        {(round_, metric): value for round_, metric, value in result.rows}, rel=1e-6
    )


def test_a_part_that_is_given_is_the_part_that_has_a_name(tmp_path: Path) -> None:
    own = task()
    named = Study(
        task=own, model="mlp(hidden=[4])", clients=["proximal(mu=0.5)"], servers=["adam"], **KEYS
    )
    given = Study(
        task=own,
        model=lambda input_shape, outputs: MODELS.build(
            MODELS.component("mlp(hidden=[4])"), input_shape, outputs
        ),
        clients=[CLIENTS.build(CLIENTS.component("proximal(mu=0.5)"))],
        servers=[SERVERS.build(SERVERS.component("adam"))],
        **KEYS,
    )
    assert curves(run_study(named, tmp_path / "named")) == curves(
        run_study(given, tmp_path / "given")
    )
    assert [str(run.client) for run in given.runs] == ["own"]


def test_the_clients_keep_their_rows_unless_a_partition_is_asked_for() -> None:
    assert {str(run.partition) for run in study().runs} == {"natural"}
    assert study().population == 6
    assert {str(run.partition) for run in study(partitions="iid", population=10).runs} == {"iid"}


def test_weights_begin_where_they_are(tmp_path: Path) -> None:
    module = net()
    module.load_state_dict(constant(0.25))
    arrays = {name: leaf.numpy() for name, leaf in constant(0.25).items()}
    starts = [
        headstart.own_part(value, name=name)
        for name, value in (("m", module), ("t", constant(0.25)))
    ]
    grid = study(
        starts=[
            "random",
            *starts,
            headstart.own_part(arrays, name="a"),
            headstart.own_part(constant(1.0), name="1"),
        ]
    )
    out = run_study(grid, tmp_path / "out")
    rows = read(out).curves
    losses = {str(run.start): rows[run.key, "test_loss"][1][0] for run in grid.runs}
    assert losses["m"] == losses["t"] == losses["a"] == pytest.approx(np.log(2), rel=1e-6)
    assert losses["random"] != losses["m"]
    with torch.no_grad():
        module[0].weight.fill_(9.0)  # what was given stays as it was
    assert curves(run_study(grid, tmp_path / "again")) == curves(out)


def test_weights_of_other_outputs_get_a_new_head(tmp_path: Path) -> None:
    wide = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 7)).state_dict()
    assert accuracies(run_study(study(starts=[wide]), tmp_path / "out")) != []


def test_proxy_data_may_be_tensors(tmp_path: Path) -> None:
    proxy = headstart.own_task(pairs(), pairs(1)[0], name="server data")
    grid = study(starts=["random", {"proxy": {"task": proxy, "epochs": 3}}])
    assert [str(run.start) for run in grid.runs] == [
        "random",
        "proxy(task='server data', epochs=3)",
    ]
    found = read(run_study(grid, tmp_path / "out"))
    random, pretrained = (found.curves[run.key, "test_loss"][1][0] for run in grid.runs)
    assert pretrained < random


def test_a_start_within_a_start_may_be_weights(tmp_path: Path) -> None:
    weights = headstart.own_part(constant(0.25), name="flat")
    grid = study(starts=["random", {"head-first": {"start": weights}}])
    assert [str(run.start) for run in grid.runs] == ["random", "head-first(start='flat')"]
    assert len(accuracies(run_study(grid, tmp_path / "out"))) == 2


def test_a_model_that_holds_what_cannot_be_read_is_known_by_the_weights_it_draws() -> None:
    with open(__file__) as file:
        runs = [
            study(model=headstart.own_part(lambda: file and net(), name="n")).runs for _ in range(2)
        ]
        other = study(model=headstart.own_part(lambda: file and nn.Linear(3, 2), name="n")).runs
    assert runs[0] == runs[1] != other


def test_tuning_without_rows_to_tune_on_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        HeadstartError,
        match=r"^task 'own data': it has no validation split, which tuning measures on",
    ):
        run_study(study(tuning={"trials": 1}), tmp_path / "out")


def test_a_split_may_be_given_as_rows_or_as_a_function(tmp_path: Path) -> None:
    rows = [list(range(60)), range(60, 90), np.arange(90, 120)]
    listed = study(partitions=[headstart.own_part(rows, name="three")], population=3)
    dealt = study(
        partitions=[
            lambda task, population, seed: [np.arange(60), np.arange(60, 90), np.arange(90, 120)]
        ],
        population=3,
    )
    assert [str(run.partition) for run in listed.runs] == ["three"]
    assert accuracies(run_study(listed, tmp_path / "a")) == accuracies(
        run_study(dealt, tmp_path / "b")
    )
    # A split is one value, not a list of them.
    assert len(study(partitions=rows, population=3).runs) == 1


def test_a_probe_may_be_a_function(tmp_path: Path) -> None:
    def bias(federation: Any) -> Any:
        return Probe(lambda moment: {"bias": float(moment.state.x["2.bias"].sum())})

    out = run_study(study(probes=["evaluation", bias]), tmp_path / "out")
    assert {row["metric"] for row in curves(out)} >= {"test_accuracy", "bias"}


PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from test_given_study import constant, study
print([run.key for run in study(seeds=[0, 1], starts=["random", constant(0.25)]).runs])
"""


def test_keys_are_the_same_in_another_process() -> None:
    code = PROGRAM.format(here=os.path.dirname(__file__))
    found: dict[str, Any] = {  # type: ignore[assignment]
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1",)
    }
    assert found == {
        f"{[run.key for run in study(seeds=[0, 1], starts=['random', constant(0.25)]).runs]}\n"
    }


def test_more_seeds_go_on_in_the_folder(tmp_path: Path) -> None:
    out = run_study(study(), tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")}
    run_study(study(seeds=[0, 1]), out)
    assert len(accuracies(out)) == 2
    assert {path: path.stat().st_mtime_ns for path in before} == before


def other_net() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.mark.parametrize(
    "changed",
    [
        {"model": headstart.own_part(other_net, name="net")},
        {"task": headstart.own_task(pairs(5), pairs(1)[0])},
        {"starts": [constant(0.5)]},
    ],
)
def test_changed_contents_under_the_same_name_are_refused(tmp_path: Path, changed: Any) -> None:
    keys: dict[str, Any] = {"starts": [constant(0.25)]}
    out = run_study(study(**keys), tmp_path / "out")
    with pytest.raises(
        HeadstartError, match=r"another study .*: there python.*sha256='.*, here python"
    ):
        run_study(study(**{**keys, **changed}), out)


def test_a_version_stands_for_the_contents() -> None:
    runs = [
        study(model=headstart.own_part(model, name="n", version="1")).runs
        for model in (net, other_net)
    ]
    assert runs[0] == runs[1]
    assert study(model=headstart.own_part(net, name="n", version="2")).runs != runs[0]


def test_workers_have_what_was_given(tmp_path: Path) -> None:
    keys: dict[str, Any] = {
        "seeds": [0, 1],
        "clients": ["sgd", "gd"],
        "executor": "stacked(runs=1)",
    }
    one = run_study(study(**keys), tmp_path / "one")
    two = run_study(study(**keys), tmp_path / "two", jobs=2)
    assert curves(one) == curves(two)


def test_workers_that_begin_afresh_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.study.places.opening.forks_here", lambda device: False)
    with pytest.raises(
        HeadstartError,
        match=r"^jobs: .* use jobs=1, or name functions in the study as 'module:function'$",
    ):
        run_study(study(), tmp_path / "out", jobs=2)


def test_a_process_without_the_values_says_so_and_can_report(tmp_path: Path) -> None:
    out = run_study(study(), tmp_path / "out")
    command = [sys.executable, "-m", "headstart"]
    ended = subprocess.run(
        [*command, "run", out / "study.yaml", "--out", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "the task 'own data' was given by a Python program" in ended.stderr
    assert ended.stderr.endswith("is not here; run that program again\n")
    reported = subprocess.run(
        [*command, "report", out], capture_output=True, text=True, check=False
    )
    assert (reported.returncode, reported.stderr) == (0, "")


def test_rates_may_name_what_was_given() -> None:
    weights = constant(0.25)
    rows = [{"start": "weights", "client_rate": 0.5, "server_rate": 2.0}]
    by_name = study(starts=["random", weights], rates=rows).runs
    by_value = study(starts=["random", weights], rates=[{**rows[0], "start": weights}]).runs
    assert by_name == by_value
    assert [run.client_rate for run in by_name] == [0.1, 0.5]


def test_a_further_grid_may_have_values() -> None:
    runs = study(also=[{"starts": [constant(0.25)]}]).runs
    assert [str(run.start) for run in runs] == ["random", "weights"]


def test_tuning_measures_on_the_rows_set_aside(tmp_path: Path) -> None:
    grid = study(task=task(validation=0.25), tuning={"trials": 2, "rounds": 2})
    out = run_study(grid, tmp_path / "out")
    assert pq.read_table(out / "results" / "trials.parquet").num_rows == 2


def test_a_start_may_be_made_by_hand(tmp_path: Path) -> None:
    start = Start(
        lambda artefact, network, task, seed: {
            n: leaf * 0 for n, leaf in network.initial(seed).items()
        }
    )
    out = run_study(study(starts=[headstart.own_part(start, name="zeros")]), tmp_path / "out")
    (loss,) = [
        row["value"] for row in curves(out) if (row["round"], row["metric"]) == (0, "test_loss")
    ]
    assert loss == pytest.approx(np.log(2), rel=1e-6)


def module_again(module: Any = net()) -> Any:  # noqa: B008
    return module


BAD = [
    ({"model": net()},
     "model: expected a function that builds a new module, as every seed draws weights of its own, "
     "got a module; give a function as model, and the module among starts"),
    ({"model": object()},
     "model: expected the name of a model, or a function that builds a module, got object"),
    ({"model": lambda outputs: net()},
     "model: expected a function of no argument or of (input_shape, outputs), but it "
     "takes 1; write a short one around it"),
    ({"task": (pairs(), pairs(1)[0])}, "task: expected the name of a task, or one that "
     "headstart.own_task(data, test) makes, got tuple"),
    ({"starts": [{3}]},
     "starts[0]: expected the name of a start, a state dict or a module, got set"),
    ({"starts": [{"0.weight": torch.ones(1), "epoch": 3}]},
     "starts[0]: expected tensors by the names of parameters, got int"),
    ({"devices": b"x"},
     "devices: expected the name of a device setting, or a function of one, got bytes"),
    ({"clients": [net]},
     "clients[0]: expected the name of a client optimizer, or a ClientOptimizer, got function"),
    ({"starts": [constant(0.0), constant(1.0)]},
     "starts: two that differ are called 'weights'; name them: "
     "headstart.own_part(value, name='...')"),
    ({"starts": ["random", headstart.own_part(constant(0.0), name="random")]},
     "starts: two that differ are called "
     "'random'; name them: headstart.own_part(value, name='...')"),
    ({"starts": [headstart.own_part(constant(0.0), name="a(b)")]},
     "start: expected a name of letters, digits, blanks "
     "and .+-_, at most 60, got 'a(b)'"),
    ({"probes": ["evaluation", headstart.own_part(functools.partial(net, iter([1])), name="p")]},  # type: ignore[call-arg]
     "probes[1]: cannot tell when 'p' changes, as it holds something of type list_iterator; say so "
     "yourself: headstart.own_part(..., version='1')"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD)
def test_values_that_are_not_taken_get_one_line(keys: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        study(**keys)
    assert str(caught.value) == line


BAD += [
    ({"starts": [{"w": np.array([object()])}]},
     "starts[0]: expected tensors by the names of parameters, got an array of object"),
    ({"starts": [{"w": torch.zeros(2, device="meta")}]},
     "starts[0]: expected a dense tensor under 'w', got one that is on meta, without numbers"),
    ({"starts": [{"w": torch.zeros(2).to_sparse()}]},
     "starts[0]: expected a dense tensor under 'w', got one that is torch.sparse_coo"),
]  # fmt: skip


@pytest.mark.parametrize("value", ["random", None, headstart.own_part(1)])
def test_a_part_that_has_a_name_already_is_no_value(value: Any) -> None:
    with pytest.raises(
        HeadstartError, match=r"^own_part: expected a value such as a function or tensors, got "
    ):
        headstart.own_part(value)


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    plain = study(seeds=[0, 1], client_rates=0.5).runs
    assert study(seeds=np.arange(2), client_rates=np.float64(0.5)).runs == plain
    assert study(seeds=[np.int64(0), np.int64(1)], client_rates=torch.tensor(0.5)).runs == plain


def test_what_a_prompt_shows_is_short() -> None:
    assert repr(study()) == "<Study 'study': net on own data, 1 runs>"
    assert repr(task()) == (
        "<Task 'own data': 120 training, 0 validation and 20 test rows, inputs [3], 2 outputs>"
    )
    assert repr(headstart.own_part(net, name="ours")) == "<own part ours: function>"


BAD_WHEN_BUILT = [
    ({"model": module_again}, "the function returns the same module every time"),
    ({"model": lambda: 3}, "expected it to return a Module, got int"),
    ({"model": lambda: nn.Linear(4, 2)}, "the model fails on inputs of shape [2, 3]"),
    ({"model": lambda: 1 / 0}, "model 'model' failed: ZeroDivisionError: division by zero"),
    ({"starts": [{"9.weight": torch.ones(1)}]}, "the weights 'weights'"),
    ({"partitions": [[[0, 1], [1, 2]]], "population": 2, "cohort": 1},
     "partitions[0]: expected every training row, 0 to 119, with one client, got 4 rows of which 3 "
     "differ"),
    ({"partitions": [lambda task, population, seed: [np.arange(3)] * 3], "population": 3},
     "partitions[0]: expected every training row, 0 to 119, with one client, got 9 rows of which 3 "
     "differ"),
    ({"partitions": [lambda task, population, seed: 3], "population": 3},
     "partitions[0]: expected the rows of each client as whole numbers, got [3]"),
    ({"probes": ["evaluation", lambda federation: None]},
     "probes[1]: expected a function that returns a Probe, got NoneType from it"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD_WHEN_BUILT)
def test_values_that_do_not_fit_get_one_line_before_any_training(
    tmp_path: Path, keys: Any, line: Any
) -> None:
    with pytest.raises(HeadstartError) as caught:
        run_study(study(**keys), tmp_path / "out")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_study_that_is_gone_takes_its_values_with_it() -> None:
    written = study().resolved()
    with pytest.raises(HeadstartError, match="is not here"):
        Study(**{**KEYS, "task": "digits", "model": written.split("model: ")[1].split("\n")[0]})


def test_a_file_in_place_of_keys_is_refused_with_the_way_to_read_it(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"a study file is read by Study\.load\(path\)$"):
        Study("study.yaml")
    with pytest.raises(
        HeadstartError, match=r"^Study\.load: expected the path of a study file, got dict$"
    ):
        Study.load({})  # type: ignore[arg-type]


def test_the_folder_tells_what_was_given(tmp_path: Path) -> None:
    out = run_study(study(starts=[constant(0.25)]), tmp_path / "out")
    assert "python(name='weights', sha256='" in (out / "study.yaml").read_text()
    (run,) = read(out).runs
    assert (run.start, Folder(out).is_done(run.run)) == ("weights", True)
