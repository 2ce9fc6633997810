"""What is no study is refused in one line, before anything is spanned or read."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.servers.base import SERVERS
from headstart.study.spec import Study

TAKEN = (
    "rates[1]: its runs take the rates of rates[0], which matches them first (a bare name is of "
    "every preset and parameter: adam is of adam@torch too); put the narrower row first, or remove "
    "it"
)


BAD = [
    ({"task": None},
     "task: expected a task such as 'name', 'name(parameter=1)' or {name: {parameter: 1}}, got "
     "None"),
    ({"cohrt": 3}, "unknown key 'cohrt'; did you mean 'cohort'?"),
    ({"task": "digit"}, "task: unknown task 'digit'; did you mean 'digits'?"),
    ({"model": "mpl"}, "model: unknown model 'mpl'; did you mean 'mlp'?"),
    ({"executor": "stackd"}, "executor: unknown executor 'stackd'; did you mean 'stacked'?"),
    ({"probes": ["evaluation", "distanc"]},
     "probes[1]: unknown probe 'distanc'; did you mean 'distance'?"),
    ({"clients": ["sgd", "scafold"]},
     "clients[1]: unknown client optimizer 'scafold'; did you mean 'scaffold'?"),
    ({"starts": "radnom"}, "starts[0]: unknown start 'radnom'; did you mean 'random'?"),
    ({"servers": "adam@tensorflw"},
     "servers[0]: unknown preset 'tensorflw' of server optimizer 'adam'; known: {adam}"),
    ({"servers": "sgd@torch"},
     "servers[0]: unknown preset 'torch' of server optimizer 'sgd'; it has none"),
    ({"clients": ["sgd", {"proximal": {"mu": "abc"}}]},
     "clients[1].mu: expected a number >= 0, got 'abc'"),
    ({"clients": ["sgd", "proximal(mu=-1)"]}, "clients[1].mu: expected a number >= 0, got -1"),
    ({"clients": "proximal(nu=1)"}, "clients[0]: unknown key 'nu'; known: momentum, mu"),
    ({"clients": {"scaffold": {"mu": 1}}}, "clients[0]: unknown key 'mu'; there are none"),
    ({"clients": {"proximal": {1: 1}}}, "clients[0]: unknown key 1; known: momentum, mu"),
    ({"clients": "proximal(mu=True)"}, "clients[0].mu: expected a number >= 0, got True"),
    ({"clients": "proximal(mu=1e999)"}, "clients[0].mu: expected a number >= 0, finite, got inf"),
    ({"clients": {"proximal": {"mu": float("nan")}}},
     "clients[0].mu: expected a number >= 0, finite, got nan"),
    ({"clients": "proximal(0.1)"}, "clients[0]: expected parameters as 'name=value', got '0.1'"),
    ({"clients": "proximal(mu=open)"}, "clients[0].mu: expected a number >= 0, got 'open'"),
    ({"clients": "proximal(mu=1)(mu=2)"},
     "clients[0]: expected parameters as 'name=value', got 'mu=1)(mu=2'"),
    (
        {"clients": ["proximal(mu=1", "momentum=0.5)"]},
        "clients[0]: expected a client optimizer such as 'name', 'name(parameter=1)' or {name: "
        "{parameter: 1}}, got 'proximal(mu=1'; put it in quotes: in [a, b] a comma ends an item",
    ),
    (
        {"clients": [5]},
        "clients[0]: expected a client optimizer such as 'name', 'name(parameter=1)' or {name: "
        "{parameter: 1}}, got 5",
    ),
    ({"clients": [{"mimelite": {"base": "sgd"}}]},
     "clients[0].base: expected one of momentum, adam, got 'sgd'"),
    ({"model": "mlp(hidden=5)"}, "model.hidden: expected a list, each a whole number >= 1, got 5"),
    ({"model": "mlp(hidden=[8, 0])"}, "model.hidden[1]: expected a whole number >= 1, got 0"),
    ({"also": [{"clients": ["sgd", "proximal(mu=-1)"]}]},
     "also[0].clients[1].mu: expected a number >= 0, got -1"),
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
    ({"target_accuracy": 1.5},
     "target_accuracy: expected a number > 0 and <= 1 or nothing, got 1.5"),
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
    ({"probes": ["distance"]},
     "probes: expected 'evaluation' among them, without which no run has an accuracy"),
    ({"tuning": {"seeds": [0, 0]}}, "tuning.seeds[1]: 0 is there twice; remove one"),
    ({"tuning": {"each": ["devices", "devices"]}},
     "tuning.each[1]: devices is there twice; remove one"),
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
        {"rates": [{"client_rate": 0.1, "server_rate": 1},
                   {"client": "sgd", "client_rate": 0.1, "server_rate": 1}]},
        TAKEN,
    ),
    (
        {"servers": ["adam@torch"], "rates": [{"server": name, "client_rate": 0.1,
                                               "server_rate": 1} for name in
                                              ("adam", "adam@torch")]},
        TAKEN,
    ),
    (
        {"rates": [{"client": "sgd", "client_rate": rate, "server_rate": 1} for rate in (0.1,
                                                                                         0.2)]},
        TAKEN,
    ),
    ({"rates": [{"clients": "gd"}]}, "rates[0]: unknown key 'clients'; did you mean 'client'?"),
    ({"rates": [{"local_epochs": 0, "client_rate": 0.1, "server_rate": 1}]},
     "rates[0].local_epochs: expected a number > 0 or nothing, got 0"),
    ({"model": "no_such_module_here:net"}, "model: cannot import 'no_such_module_here:net': "
     "ModuleNotFoundError: No module named 'no_such_module_here'"),
    ({"model": "math:pi"}, "model: expected a function behind 'math:pi', got float"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "line"), BAD, ids=[line.split(":")[0] + f"-{i}" for i, (_, line) in enumerate(BAD)]
)
def test_bad_input_gets_one_line(keys: Any, line: Any) -> None:
    line = line.replace("{adam}", ", ".join(sorted(SERVERS.entry("adam").presets)))
    axes = (
        "client_rates, clients, devices, local_epochs, partitions, seeds, server_rates, "
        "servers, starts, trainable"
    )
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
    (
        "task: !!python/object/apply:os.system ['touch HERE']\n",
        "{path} cannot be read as YAML: could not determine",
    ),
    (
        "task: !!python/name:os.system\n",
        "{path} cannot be read as YAML: could not determine a constructor for the tag",
    ),
    (
        "task: digits\nmodel: mlp\ntask: digits\n",
        "{path} cannot be read as YAML: the key 'task' is there twice",
    ),
    ("model: mlp\n", "{path}: task: expected a name or a mapping, got nothing"),
    ("a: " + "[" * 5000, "{path} cannot be read as YAML: "),
    (
        "task: digits\nmodel: mlp\nseeds: &a [*a]\n",
        "{path} cannot be read as YAML: an alias stands within what it",
    ),
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
    with pytest.raises(
        HeadstartError, match=r"^cannot read .*nothing.yaml: No such file or directory$"
    ):
        Study.load(tmp_path / "nothing.yaml")
    with pytest.raises(HeadstartError, match=r"^cannot read .*: Is a directory$"):
        Study.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"title: Gr\xf6\xdfer\n")
    with pytest.raises(HeadstartError, match=r"latin.yaml cannot be read as YAML: 'utf-8' codec"):
        Study.load(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    "key", ["seeds", "local_epochs", "population", "cohort", "batch_size", "rounds", "every"]
)
def test_whole_numbers_lie_below_2_to_the_63(key: str) -> None:
    path = f"{key}[0]" if key == "seeds" else key
    with pytest.raises(HeadstartError) as caught:
        study(**{key: [2**63] if key == "seeds" else 2**63})
    assert (
        str(caught.value) == f"{path}: expected a whole number below 2^63, got 9223372036854775808"
    )


def test_parameters_of_parts_lie_below_2_to_the_63() -> None:
    with pytest.raises(
        HeadstartError, match=r"^model.hidden\[1\]: expected a whole number below 2\^63, got 922"
    ):
        study(model=f"mlp(hidden=[4, {2**63}])")
    assert study(seeds=[2**63 - 1]).runs[0].seed == 2**63 - 1


def test_a_grid_of_a_million_runs_is_refused_before_it_is_spanned() -> None:
    began = time.perf_counter()
    with pytest.raises(HeadstartError) as caught:
        study(
            seeds=range(1000),
            client_rates=[i / 10 for i in range(1, 101)],
            local_epochs=list(range(1, 11)),
        )
    assert str(caught.value) == (
        "expected at most 50,000 runs, got 1,000,000 (local_epochs: 10, client_rates: 100, seeds: "
        "1000); cut the grid, or divide it among studies"
    )
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "written", ["mlp(hidden=[8], hidden=[9])", {"mlp(hidden=[8])": {"hidden": [9]}}]
)
def test_a_parameter_is_there_once(written: Any) -> None:
    with pytest.raises(
        HeadstartError, match=r"^model: the parameter 'hidden' is there twice; remove one$"
    ):
        study(model=written)


@pytest.mark.parametrize("ends", [[0.1, 0.1], [0.1, 0.10000000000000002], [1.0, 1.005], [2, 1]])
def test_a_range_that_is_tuned_over_is_one(ends: Any) -> None:
    with pytest.raises(HeadstartError, match=r"^tuning.client_rate: expected a range"):
        study(tuning={"client_rate": ends})


def test_an_axis_without_end_is_not_listed() -> None:
    with pytest.raises(
        HeadstartError, match=r"^seeds: expected at most 1,000,000 values, got 1,000,000,000$"
    ):
        study(seeds=range(10**9))
