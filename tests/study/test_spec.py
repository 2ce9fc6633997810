"""The language of study files: what a grid expands to, what a run's key depends on, and the line for each bad input."""

import os
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.looks.plans import Plan
from headstart.servers.base import SERVERS
from headstart.statistics.sequential import one_look, until_decided
from headstart.study.choice import chosen_executor, with_executor
from headstart.study.file.run_spec import PLACEMENT, RunSpec
from headstart.study.spec import Study
from headstart.study.tuning.search import searches
from headstart.tasks.base import TASKS
from headstart.tools.partitions import inspect_study

BASE = {"task": "digits", "model": "mlp", "population": 10, "cohort": 3, "seeds": [0]}


def study(**keys: Any) -> Any:
    return Study(**{**BASE, **keys})


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text("task: digits\nmodel: mlp\npopulation: 10\ncohort: 3\n" + text)
    return Study.load(path)


def names(study: Any, field: Any) -> Any:
    return [str(getattr(run, field)) for run in study.runs]


# ---------------------------------------------------------------------------------------------------------- the grid


def test_the_axes_span_a_grid_in_the_order_of_the_file() -> None:
    grid = study(clients=["sgd", "gd"], servers=["sgd", "adam"], local_epochs=[1, 5], seeds=[3, 4])
    assert [(str(r.client), str(r.server), r.local_epochs, r.seed) for r in grid.runs] == [
        (client, server, epochs, seed)
        for client in ("sgd", "gd")
        for server in ("sgd", "adam")
        for epochs in (1, 5)
        for seed in (3, 4)
    ]


def test_what_is_left_out_of_an_also_is_as_in_the_main_grid() -> None:
    grid = study(clients=["sgd", "gd"], seeds=[0, 1], also=[{"local_epochs": [5, 20], "clients": "proximal"}])
    assert [(str(r.client), r.local_epochs, r.seed) for r in grid.runs[4:]] == [
        ("proximal", epochs, seed) for epochs in (5, 20) for seed in (0, 1)
    ]


def test_runs_that_two_grids_share_are_one_run() -> None:
    grid = study(local_epochs=[1], also=[{"local_epochs": [1, 5]}, {"local_epochs": [5, 20]}, {}])
    assert [run.local_epochs for run in grid.runs] == [1, 5, 20]


@pytest.mark.parametrize(
    "written",
    [
        "proximal(mu=0.5, momentum=0)",
        {"proximal": {"mu": 0.5}},
        {"name": "proximal", "mu": 0.5},
        {"proximal(mu=0.5)": None},
    ],
)
def test_every_way_to_write_a_part_is_the_same_part(written: Any) -> None:
    assert study(clients=[written]).runs == study(clients=["proximal(mu=0.5)"]).runs
    assert names(study(clients=[written]), "client") == ["proximal(mu=0.5)"]


def test_a_parameter_at_its_default_does_not_show_in_the_name() -> None:
    default = dict(CLIENTS.component("proximal").parameters)["mu"]
    assert study(clients=[f"proximal(mu={default})"]).runs == study(clients=["proximal"]).runs


def test_lists_may_be_a_single_value_a_tuple_or_a_range() -> None:
    assert study(clients="gd", seeds=range(2), local_epochs=(1, 5)).runs == (
        study(clients=["gd"], seeds=[0, 1], local_epochs=[1, 5]).runs
    )


def test_presets_carry_their_parameters_and_can_be_changed() -> None:
    (plain,) = study(servers="adam@torch").runs
    (changed,) = study(servers="adam@torch(epsilon=0.1)").runs
    preset = SERVERS.entry("adam").presets["torch"]
    assert {k: v for k, v in plain.server.parameters if k in preset} == preset
    assert dict(changed.server.parameters) == {**dict(plain.server.parameters), "epsilon": 0.1}
    assert (str(plain.server), str(changed.server)) == ("adam@torch", "adam@torch(epsilon=0.1)")


def test_the_first_row_of_rates_that_matches_gives_the_rates() -> None:
    grid = study(
        clients=["sgd", "proximal", "proximal(mu=1.0)"],
        client_rates=0.1,
        server_rates=1.0,
        rates=[
            {"client": {"proximal": {"mu": 1}}, "client_rate": 0.3, "server_rate": 2},
            {"client": "proximal", "client_rate": 0.2, "server_rate": 3},
        ],
    )
    assert {str(r.client): (r.client_rate, r.server_rate) for r in grid.runs} == {
        "sgd": (0.1, 1.0),
        "proximal": (0.2, 3.0),
        "proximal(mu=1.0)": (0.3, 2.0),
    }


def test_rates_may_depend_on_every_axis_together() -> None:
    grid = study(
        starts=["random", "proxy"],
        local_epochs=[1, 5],
        rates=[{"start": "proxy", "local_epochs": 5, "client_rate": 0.5, "server_rate": 0.7}],
    )
    assert {(str(r.start), r.local_epochs): r.client_rate for r in grid.runs} == {
        ("random", 1): 0.1,
        ("random", 5): 0.1,
        ("proxy", 1): 0.1,
        ("proxy", 5): 0.5,
    }


def test_axes_of_rates_that_a_row_overrides_merge() -> None:
    grid = study(client_rates=[0.1, 0.2], rates=[{"client_rate": 0.4, "server_rate": 1.0}])
    assert [run.client_rate for run in grid.runs] == [0.4]


# ------------------------------------------------------------------------------------------------------------ the keys


def test_a_key_is_the_same_in_another_process() -> None:
    code = f"from headstart.study.spec import Study; print([run.key for run in Study(**{BASE!r}).runs])"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert other.stdout.strip() == str([run.key for run in study().runs])


OTHER = {
    "task": "rendered-digits",
    "model": "mlp(hidden=[8])",
    "start": "proxy(epochs=1)",
    "client": "sgd(momentum=0.1)",
    "server": "adam",
    "partition": "dirichlet",
    "devices": "dropped",
    "executor": "loop",
    "weighting": "uniform",
    "evaluate_on": "validation",
    "precision": "bf16",
    "trainable": "head",
    "device": "cuda",
    "keep_weights": "both",
    "client_rate_by_round": "cosine(over=60)",
    "server_rate_by_round": "step(every=20)",
    "probes": ["evaluation"],
}
PLURAL = {"start": "starts", "client": "clients", "server": "servers", "partition": "partitions", "seed": "seeds"}
PLURAL |= {"client_rate": "client_rates", "server_rate": "server_rates"}


OF_BASELINES = {"baseline": "local", "alone": 7}
"""What no key of a study file gives a run: see `headstart.study.baselines`."""


@pytest.mark.parametrize("field", [field.name for field in fields(RunSpec)])
def test_a_key_depends_on_every_field_that_the_result_depends_on(field: Any) -> None:
    (run,) = study().runs
    if field in OF_BASELINES:
        changed = replace(run, **{field: OF_BASELINES[field]})
    else:
        (changed,) = study(**{PLURAL.get(field, field): OTHER.get(field, 7)}).runs
    assert (changed.key == run.key) == (field in PLACEMENT)
    assert replace(changed, **{field: getattr(run, field)}) == run


def test_name_title_and_target_are_no_part_of_a_run() -> None:
    assert study(name="other", title="Other", target_accuracy=0.5).runs == study().runs


def test_a_resolved_study_is_a_study_file_with_the_same_runs(tmp_path: Path) -> None:
    text = """
clients: [sgd, {proximal: {mu: 0.5}}, "nova(momentum=0.5)"]
servers: [adam@torch, sgd]
partitions: dirichlet(alpha=1e-3)
target_accuracy: 0.9
title: Größer
client_rates: 1e-3
rates:
  - {client: sgd, server: {adam@torch: null}, client_rate: 1.5e-5, server_rate: 1}
also:
  - {clients: {proximal: {mu: 2}}, local_epochs: [5, 20]}
"""
    first = load(tmp_path, text)
    (tmp_path / "again.yaml").write_text(first.resolved(), encoding="utf-8")
    again = Study.load(tmp_path / "again.yaml")
    assert again.runs == first.runs
    assert [run.key for run in again.runs] == [run.key for run in first.runs]
    assert again.resolved() == first.resolved()
    assert yaml.safe_load(first.resolved())["title"] == "Größer"


@pytest.mark.parametrize(
    "tuning", ["{}", "{client_rate: [0.01, 1.0], server_rate: {around: 5}}", "{seeds: [3, 4], repeats: 2, trials: 7}"]
)
def test_a_resolved_study_with_a_search_has_the_same_search(tmp_path: Path, tuning: str) -> None:
    first = load(tmp_path, f"tuning: {tuning}\nrates:\n  - {{client_rate: 0.1, server_rate: 0.5}}\n")
    (tmp_path / "again.yaml").write_text(first.resolved(), encoding="utf-8")
    again = Study.load(tmp_path / "again.yaml")
    assert again.resolved() == first.resolved()
    assert [search.key for search in searches(again)] == [search.key for search in searches(first)]


def test_equal_studies_resolve_to_equal_text() -> None:
    row = {"client_rate": 0.1, "server_rate": 1.0}
    one = study(clients="proximal(mu=1)", also=[{"servers": "sgd"}], rates=[{"client": "proximal(mu=1)", **row}])
    two = study(
        clients=[{"proximal": {"mu": 1.0}}],
        also=[{"servers": [{"sgd": None}]}],
        rates=[{"client": {"proximal": {"mu": 1}}, **row}],
    )
    assert one.resolved() == two.resolved()


# -------------------------------------------------------------------------------------------------- as many as owners


def owned_keys(tmp_path: Path) -> Any:
    """The keys of a study of a table with 7 owners, of whom 6 have rows to train on."""
    rows = [f"{i % 7},{i * i % 23},{i % 2},{'test' if i % 7 == 0 else 'train'}" for i in range(42)]
    (tmp_path / "owned.csv").write_text("\n".join(["who,x,y,part", *rows]))
    columns = {"client": "who", "label": "y", "split": "part"}
    task = {"table": {"path": str(tmp_path / "owned.csv"), **columns, "validation": 0.0}}
    return {"task": task, "model": "logistic", "seeds": [0]}


def owned(tmp_path: Path, **keys: Any) -> Any:
    return Study(**{**owned_keys(tmp_path), "cohort": 3, **keys})


def test_natural_is_the_number_of_owners_and_the_same_run_as_that_number(tmp_path: Path) -> None:
    keys = {"partitions": ["natural", "iid"]}
    counted = owned(tmp_path, population=6, **keys)
    assert [run.population for run in counted.runs] == [6, 6]
    for study_ in (owned(tmp_path, population="natural", **keys), owned(tmp_path, **keys)):
        assert [run.key for run in study_.runs] == [run.key for run in counted.runs]
        assert study_.resolved() == counted.resolved()
    assert owned(tmp_path, also=[{"partitions": "natural"}]).population == 6
    assert owned(tmp_path, population="natural").runs[0].population == 6  # whatever the partition
    assert owned(tmp_path).population == 100
    assert owned(tmp_path, population=4, partitions="natural").runs[0].population == 4  # for the partition to refuse


def test_natural_needs_owners_and_is_held_to_the_cohort(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"^'natural' needs to know whose each row is, but task 'digits' has no"):
        study(population="natural").resolved()
    with pytest.raises(
        HeadstartError, match=r"^cohort: expected at most the number of clients \(population: 6\), got 7"
    ):
        owned(tmp_path, population="natural", cohort=7).resolved()


def test_without_a_cohort_it_is_ten_or_all_clients_if_there_are_fewer(tmp_path: Path) -> None:
    few = owned(tmp_path, partitions="natural", cohort=6)
    left_out = Study(**{**owned_keys(tmp_path), "partitions": "natural"})
    assert [run.cohort for run in left_out.runs] == [6]
    assert left_out.runs[0].key == few.runs[0].key
    assert left_out.resolved() == few.resolved()
    keys = {"task": "digits", "model": "mlp", "seeds": [0]}
    assert [Study(**keys, population=count).runs[0].cohort for count in (4, 10, 40)] == [4, 10, 10]
    assert Study(**keys).runs[0].key == Study(**keys, cohort=10).runs[0].key


def test_an_inspection_needs_no_cohort(tmp_path: Path) -> None:
    (split,) = inspect_study(owned(tmp_path, partitions="natural", cohort=7))
    assert len(split.sizes_K) == 6


# --------------------------------------------------------------------------------------------------------- one's own


def test_a_factory_of_ones_own_is_named_by_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_models_of_spec.py").write_text(
        "from torch import nn\n"
        "def tiny(shape, outputs, *, width: int, layers: list[list[int]] = []):\n"
        "    return nn.Linear(width, outputs)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (run,) = study(model="own_models_of_spec:tiny(width=3)").runs
    assert str(run.model) == "own_models_of_spec:tiny(width=3)"
    assert hash(run.model) == hash(study(model="own_models_of_spec:tiny(width=3)").runs[0].model)
    with pytest.raises(HeadstartError, match=r"^model.width: expected a whole number, got nothing$"):
        study(model="own_models_of_spec:tiny")


# ---------------------------------------------------------------------------------------------------------- bad input

TAKEN = (
    "rates[1]: its runs take the rates of rates[0], which matches them first (a bare name is of every preset and "
    "parameter: adam is of adam@torch too); put the narrower row first, or remove it"
)
BAD = [
    ({"task": None}, "task: expected a task such as 'name', 'name(parameter=1)' or {name: {parameter: 1}}, got None"),
    ({"cohrt": 3}, "unknown key 'cohrt'; did you mean 'cohort'?"),
    ({"task": "digit"}, "task: unknown task 'digit'; did you mean 'digits'?"),
    ({"model": "mpl"}, "model: unknown model 'mpl'; did you mean 'mlp'?"),
    ({"executor": "stackd"}, "executor: unknown executor 'stackd'; did you mean 'stacked'?"),
    ({"probes": ["evaluation", "distanc"]}, "probes[1]: unknown probe 'distanc'; did you mean 'distance'?"),
    ({"clients": ["sgd", "scafold"]}, "clients[1]: unknown client optimizer 'scafold'; did you mean 'scaffold'?"),
    ({"starts": "radnom"}, "starts[0]: unknown start 'radnom'; did you mean 'random'?"),
    ({"servers": "adam@tensorflw"}, "servers[0]: unknown preset 'tensorflw' of server optimizer 'adam'; known: {adam}"),
    ({"servers": "sgd@torch"}, "servers[0]: unknown preset 'torch' of server optimizer 'sgd'; it has none"),
    ({"clients": ["sgd", {"proximal": {"mu": "abc"}}]}, "clients[1].mu: expected a number >= 0, got 'abc'"),
    ({"clients": ["sgd", "proximal(mu=-1)"]}, "clients[1].mu: expected a number >= 0, got -1"),
    ({"clients": "proximal(nu=1)"}, "clients[0]: unknown key 'nu'; known: momentum, mu"),
    ({"clients": {"scaffold": {"mu": 1}}}, "clients[0]: unknown key 'mu'; there are none"),
    ({"clients": {"proximal": {1: 1}}}, "clients[0]: unknown key 1; known: momentum, mu"),
    ({"clients": "proximal(mu=True)"}, "clients[0].mu: expected a number >= 0, got True"),
    ({"clients": "proximal(mu=1e999)"}, "clients[0].mu: expected a number >= 0, finite, got inf"),
    ({"clients": {"proximal": {"mu": float("nan")}}}, "clients[0].mu: expected a number >= 0, finite, got nan"),
    ({"clients": "proximal(0.1)"}, "clients[0]: expected parameters as 'name=value', got '0.1'"),
    ({"clients": "proximal(mu=open)"}, "clients[0].mu: expected a number >= 0, got 'open'"),
    ({"clients": "proximal(mu=1)(mu=2)"}, "clients[0]: expected parameters as 'name=value', got 'mu=1)(mu=2'"),
    (
        {"clients": ["proximal(mu=1", "momentum=0.5)"]},
        "clients[0]: expected a client optimizer such as 'name', 'name(parameter=1)' or {name: {parameter: 1}}, "
        "got 'proximal(mu=1'; put it in quotes: in [a, b] a comma ends an item",
    ),
    (
        {"clients": [5]},
        "clients[0]: expected a client optimizer such as 'name', 'name(parameter=1)' or {name: {parameter: 1}}, got 5",
    ),
    ({"clients": [{"mimelite": {"base": "sgd"}}]}, "clients[0].base: expected one of momentum, adam, got 'sgd'"),
    ({"model": "mlp(hidden=5)"}, "model.hidden: expected a list, each a whole number >= 1, got 5"),
    ({"model": "mlp(hidden=[8, 0])"}, "model.hidden[1]: expected a whole number >= 1, got 0"),
    ({"also": [{"clients": ["sgd", "proximal(mu=-1)"]}]}, "also[0].clients[1].mu: expected a number >= 0, got -1"),
    ({"also": [{}, {"seed": 1}]}, "also[1]: unknown key 'seed'; did you mean 'seeds'?"),
    ({"also": [{"seeds": [0, -1]}]}, "also[0].seeds[1]: expected a whole number >= 0, got -1"),
    ({"also": {"seeds": 1}}, "also: expected a list, each a mapping, got {'seeds': 1}"),
    ({"also": [None]}, "also[0]: expected a mapping, got None"),
    ({"also": [{"cohort": 2}]}, "also[0]: unknown key 'cohort'; known: {axes}"),
    ({"population": "naturl"}, "population: expected a whole number >= 1 or natural, got 'naturl'"),
    ({"population": 0}, "population: expected a whole number >= 1 or natural, got 0"),
    ({"rounds": 0}, "rounds: expected a whole number >= 1, got 0"),
    ({"rounds": True}, "rounds: expected a whole number >= 1, got True"),
    ({"rounds": 2.5}, "rounds: expected a whole number >= 1, got 2.5"),
    ({"rounds": "ten"}, "rounds: expected a whole number >= 1, got 'ten'"),
    ({"rounds": None}, "rounds: expected a whole number >= 1, got None"),
    ({"title": 5}, "title: expected a text, got 5"),
    ({"target_accuracy": 1.5}, "target_accuracy: expected a number > 0 and <= 1 or nothing, got 1.5"),
    ({"weighting": "sample"}, "weighting: expected one of samples, uniform, got 'sample'"),
    ({"evaluate_on": "train"}, "evaluate_on: expected one of test, validation, got 'train'"),
    ({"cohort": 11}, "cohort: expected at most the number of clients (population: 10), got 11"),
    ({"seeds": [-1]}, "seeds[0]: expected a whole number >= 0, got -1"),
    ({"seeds": [True]}, "seeds[0]: expected a whole number >= 0, got True"),
    ({"seeds": []}, "seeds: expected a list of at least 1, each a whole number >= 0, got []"),
    ({"clients": []}, "clients: expected a list of at least 1, got []"),
    ({"client_rates": [0.1, 0]}, "client_rates[1]: expected a number > 0, got 0"),
    ({"client_rates": float("inf")}, "client_rates[0]: expected a number > 0, finite, got inf"),
    ({"server_rates": "0.1"}, "server_rates[0]: expected a number > 0, got '0.1'"),
    ({"seeds": [0, 1, 0]}, "seeds[2]: 0 is there twice; remove one"),
    ({"clients": ["sgd", {"sgd": {}}]}, "clients[1]: sgd is there twice; remove one"),
    ({"also": [{"local_epochs": [5, 5]}]}, "also[0].local_epochs[1]: 5 is there twice; remove one"),
    ({"probes": ["distance", "distance"]}, "probes[1]: distance is there twice; remove one"),
    ({"probes": ["distance"]}, "probes: expected 'evaluation' among them, without which no run has an accuracy"),
    ({"tuning": {"seeds": [0, 0]}}, "tuning.seeds[1]: 0 is there twice; remove one"),
    ({"tuning": {"each": ["devices", "devices"]}}, "tuning.each[1]: devices is there twice; remove one"),
    ({"tuning": {}, "evaluate_on": "validation"},
     "evaluate_on: expected test, as `tuning` chooses by the validation split, got validation"),
    ({"rates": [{"client_rate": 0.1}]}, "rates[0].server_rate: expected a number > 0, got nothing"),
    (
        {"rates": [{"client": "sdg", "client_rate": 0.1, "server_rate": 1}]},
        "rates[0].client: unknown client optimizer 'sdg'; did you mean 'sgd'?",
    ),
    (
        {"rates": [{"client": "gd", "client_rate": 0.1, "server_rate": 1}]},
        "rates[0]: matches no run of the grid; correct it or remove it",
    ),
    (
        {"rates": [{"client_rate": 0.1, "server_rate": 1}, {"client": "sgd", "client_rate": 0.1, "server_rate": 1}]},
        TAKEN,
    ),
    (
        {"servers": ["adam@torch"], "rates": [{"server": name, "client_rate": 0.1, "server_rate": 1} for name in
                                              ("adam", "adam@torch")]},
        TAKEN,
    ),
    (
        {"rates": [{"client": "sgd", "client_rate": rate, "server_rate": 1} for rate in (0.1, 0.2)]},
        TAKEN,
    ),
    ({"rates": [{"clients": "gd"}]}, "rates[0]: unknown key 'clients'; did you mean 'client'?"),
    ({"rates": [{"local_epochs": 0, "client_rate": 0.1, "server_rate": 1}]},
     "rates[0].local_epochs: expected a number > 0 or nothing, got 0"),
    ({"model": "no_such_module_here:net"}, "model: cannot import 'no_such_module_here:net': "
     "ModuleNotFoundError: No module named 'no_such_module_here'"),
    ({"model": "math:pi"}, "model: expected a function behind 'math:pi', got float"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD, ids=[line.split(":")[0] + f"-{i}" for i, (_, line) in enumerate(BAD)])
def test_bad_input_gets_one_line(keys: Any, line: Any) -> None:
    line = line.replace("{adam}", ", ".join(sorted(SERVERS.entry("adam").presets)))
    axes = "client_rates, clients, devices, local_epochs, partitions, seeds, server_rates, servers, starts, trainable"
    with pytest.raises(HeadstartError) as caught:
        study(**keys)
    assert str(caught.value) == line.replace("{axes}", axes)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(HeadstartError, match=r"^task: expected a name or a mapping, got nothing$"):
        Study(model="mlp")


FILES = [
    ("- task: digits\n", "{path}: expected a mapping of study keys, got list"),
    ("", "{path}: expected a mapping of study keys, got NoneType"),
    ("1: 2\n", "{path}: expected a mapping of study keys, got dict"),
    ("task: [unclosed\n", "{path} cannot be read as YAML: while parsing a flow sequence"),
    ("task: !!python/object/apply:os.system ['touch HERE']\n", "{path} cannot be read as YAML: could not determine"),
    ("task: !!python/name:os.system\n", "{path} cannot be read as YAML: could not determine a constructor for the tag"),
    ("task: digits\nmodel: mlp\ntask: digits\n", "{path} cannot be read as YAML: the key 'task' is there twice"),
    ("model: mlp\n", "{path}: task: expected a name or a mapping, got nothing"),
    ("a: " + "[" * 5000, "{path} cannot be read as YAML: "),
    ("task: digits\nmodel: mlp\nseeds: &a [*a]\n", "{path} cannot be read as YAML: an alias stands within what it"),
    ("task: \x07\n", "{path} cannot be read as YAML: unacceptable character"),
]


@pytest.mark.parametrize(("text", "line"), FILES)
def test_a_file_that_is_no_study_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Any, line: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(HeadstartError) as caught:
        Study.load(path)
    assert str(caught.value).startswith(line.replace("{path}", str(path)))
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.yaml"]


def test_files_that_cannot_be_read_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"^cannot read .*nothing.yaml: No such file or directory$"):
        Study.load(tmp_path / "nothing.yaml")
    with pytest.raises(HeadstartError, match=r"^cannot read .*: Is a directory$"):
        Study.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"title: Gr\xf6\xdfer\n")
    with pytest.raises(HeadstartError, match=r"latin.yaml cannot be read as YAML: 'utf-8' codec"):
        Study.load(tmp_path / "latin.yaml")


def test_yaml_merge_keys_work(tmp_path: Path) -> None:
    grid = load(tmp_path, "also:\n  - &more {local_epochs: 5, seeds: 0}\n  - {<<: *more, local_epochs: 20}\nseeds: 0\n")
    assert [run.local_epochs for run in grid.runs] == [1, 5, 20]


# ------------------------------------------------------------------------------------------------------ large numbers


@pytest.mark.parametrize("key", ["seeds", "local_epochs", "population", "cohort", "batch_size", "rounds", "every"])
def test_whole_numbers_lie_below_2_to_the_63(key: str) -> None:
    path = f"{key}[0]" if key == "seeds" else key
    with pytest.raises(HeadstartError) as caught:
        study(**{key: [2**63] if key == "seeds" else 2**63})
    assert str(caught.value) == f"{path}: expected a whole number below 2^63, got 9223372036854775808"


def test_parameters_of_parts_lie_below_2_to_the_63() -> None:
    with pytest.raises(HeadstartError, match=r"^model.hidden\[1\]: expected a whole number below 2\^63, got 922"):
        study(model=f"mlp(hidden=[4, {2**63}])")
    assert study(seeds=[2**63 - 1]).runs[0].seed == 2**63 - 1


def test_a_grid_of_a_million_runs_is_refused_before_it_is_spanned() -> None:
    began = time.perf_counter()
    with pytest.raises(HeadstartError) as caught:
        study(seeds=range(1000), client_rates=[i / 10 for i in range(1, 101)], local_epochs=list(range(1, 11)))
    assert str(caught.value) == (
        "expected at most 50,000 runs, got 1,000,000 (local_epochs: 10, client_rates: 100, seeds: 1000); "
        "cut the grid, or divide it among studies"
    )
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("written", ["mlp(hidden=[8], hidden=[9])", {"mlp(hidden=[8])": {"hidden": [9]}}])
def test_a_parameter_is_there_once(written: Any) -> None:
    with pytest.raises(HeadstartError, match=r"^model: the parameter 'hidden' is there twice; remove one$"):
        study(model=written)


@pytest.mark.parametrize("ends", [[0.1, 0.1], [0.1, 0.10000000000000002], [1.0, 1.005], [2, 1]])
def test_a_range_that_is_tuned_over_is_one(ends: Any) -> None:
    with pytest.raises(HeadstartError, match=r"^tuning.client_rate: expected a range"):
        study(tuning={"client_rate": ends})


# ---------------------------------------------------------------------------------------------- parts within parts


def test_a_part_within_a_part_may_be_a_mapping() -> None:
    table = {"path": "a b's.csv", "client": "who", "label": "y", "features": ["x", "z"]}
    nested = {"proxy": {"task": {"table": table}, "epochs": 2}}
    text = """proxy(task="table(path=\\"a b's.csv\\", client='who', label='y', features=['x', 'z'])", epochs=2)"""
    assert study(starts=[nested]).runs == study(starts=[text]).runs
    assert study(starts=[{"head-first": {"start": nested}}]).runs[0].start.parameters[0][0] == "start"
    deep = {"proxy": {"task": {"wikitext-2": {"like": {"stackoverflow": {"tokens": {"words": {"size": 9}}}}}}}}
    (run,) = study(starts=[deep]).runs
    inner = TASKS.component(dict(run.start.parameters)["task"])
    like = TASKS.component(dict(inner.parameters)["like"])
    assert dict(like.parameters)["tokens"] == "words(size=9)"


def test_an_axis_without_end_is_not_listed() -> None:
    with pytest.raises(HeadstartError, match=r"^seeds: expected at most 1,000,000 values, got 1,000,000,000$"):
        study(seeds=range(10**9))


def test_an_executor_of_ones_own_stays_where_it_was_written(tmp_path: Path) -> None:
    """Also where its name is read again, as from what was chosen."""
    (tmp_path / "own_executor_of_test.py").write_text(
        "from headstart.engine.executors.loop import loop\ndef mine(): return loop()\n"
    )
    run = load(tmp_path, "executor: own_executor_of_test:mine\n").runs[0]
    assert with_executor(run, chosen_executor(run, tmp_path)) is run


# ----------------------------------------------------------------------------------------------------------- looks


def test_a_study_may_run_until_it_has_decided() -> None:
    found = study(seeds={"until": "decided", "first": 2, "at_most": 4}, margin=0.25)
    assert [run.seed for run in found.runs] == [0, 1, 2, 3]
    assert found.plan == Plan((0, 1, 2, 3), until_decided(2, 4), 0.0025)
    assert [run.key for run in found.runs] == [run.key for run in study(seeds=range(4)).runs]
    again = yaml.safe_load(found.resolved())
    assert (again["seeds"], again["margin"]) == ({"until": "decided", "first": 2, "at_most": 4}, 0.25)
    assert Study(**again).resolved() == found.resolved()


def test_three_to_twenty_seeds_are_run_where_nothing_is_said() -> None:
    assert study(seeds={"until": "decided"}).plan == Plan(tuple(range(20)), until_decided(3, 20), 0.005)


def test_a_list_of_seeds_is_one_look() -> None:
    assert study(seeds=[4, 2]).plan == Plan((4, 2), one_look(2), 0.005)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"seeds": {"until": "today"}}, "seeds.until: expected decided, got 'today'"),
        ({"seeds": {"first": 3}}, "seeds.until: expected decided, got nothing"),
        ({"seeds": {"until": "decided", "frist": 3}}, "seeds: unknown key 'frist'; did you mean 'first'?"),
        ({"seeds": {"until": "decided", "first": 1}}, "seeds.first: expected a whole number >= 2, got 1"),
        (
            {"seeds": {"until": "decided", "first": 5, "at_most": 4}},
            "seeds.at_most: expected first (5) or more, got 4",
        ),
        (
            {"seeds": {"until": "decided", "at_most": 2}},
            "seeds.at_most: expected first (3) or more, got 2",
        ),
        (
            {"seeds": {"until": "decided", "at_most": 1000}},
            "seeds.at_most: expected a whole number >= 2 and <= 200, got 1000",
        ),
        ({"seeds": [0, -1]}, "seeds[1]: expected a whole number >= 0, got -1"),
        ({"margin": -1}, "margin: expected a number >= 0 and <= 100, got -1"),
        ({"margin": float("nan")}, "margin: expected a number >= 0 and <= 100, finite, got nan"),
        ({"margins": {"speedup": 0}}, "margins.speedup: expected a number > 0 and <= 100 or nothing, got 0"),
        ({"margins": {"speed": 5}}, "margins: unknown key 'speed'; did you mean 'speedup'?"),
        ({"margin": 101}, "margin: expected a number >= 0 and <= 100, got 101"),
    ],
)
def test_looks_without_sense_get_one_line(keys: dict[str, Any], error: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        study(**keys)
    assert str(caught.value) == error
