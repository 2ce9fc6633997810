"""A study file spans grids of runs; every part may be written in several ways."""

from pathlib import Path
from typing import Any

import pytest
from tests.study.small_studies import load, study

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.servers.base import SERVERS
from headstart.study.executor_choice import chosen_executor, with_executor
from headstart.tasks.base import TASKS


def names(study: Any, field: Any) -> Any:
    return [str(getattr(run, field)) for run in study.runs]


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
    grid = study(
        clients=["sgd", "gd"], seeds=[0, 1], also=[{"local_epochs": [5, 20], "clients": "proximal"}]
    )
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


def test_a_factory_of_ones_own_is_named_by_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_models_of_spec.py").write_text(
        "from torch import nn\n"
        "def tiny(shape, outputs, *, width: int, layers: list[list[int]] = []):\n"
        "    return nn.Linear(width, outputs)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (run,) = study(model="own_models_of_spec:tiny(width=3)").runs
    assert str(run.model) == "own_models_of_spec:tiny(width=3)"
    assert hash(run.model) == hash(study(model="own_models_of_spec:tiny(width=3)").runs[0].model)
    with pytest.raises(
        HeadstartError, match=r"^model.width: expected a whole number, got nothing$"
    ):
        study(model="own_models_of_spec:tiny")


def test_yaml_merge_keys_work(tmp_path: Path) -> None:
    grid = load(
        tmp_path,
        "also:\n  - &more {local_epochs: 5, seeds: 0}\n  - {<<: *more, local_epochs: 20}\nseeds: "
        "0\n",
    )
    assert [run.local_epochs for run in grid.runs] == [1, 5, 20]


def test_a_part_within_a_part_may_be_a_mapping() -> None:
    table = {"path": "a b's.csv", "client": "who", "label": "y", "features": ["x", "z"]}
    nested = {"proxy": {"task": {"table": table}, "epochs": 2}}
    task = """table(path=\\"a b's.csv\\", client='who', label='y', features=['x', 'z'])"""
    text = f'proxy(task="{task}", epochs=2)'
    assert study(starts=[nested]).runs == study(starts=[text]).runs
    assert (
        study(starts=[{"head-first": {"start": nested}}]).runs[0].start.parameters[0][0] == "start"
    )
    deep = {
        "proxy": {
            "task": {"wikitext-2": {"like": {"stackoverflow": {"tokens": {"words": {"size": 9}}}}}}
        }
    }
    (run,) = study(starts=[deep]).runs
    inner = TASKS.component(dict(run.start.parameters)["task"])
    like = TASKS.component(dict(inner.parameters)["like"])
    assert dict(like.parameters)["tokens"] == "words(size=9)"


def test_an_executor_of_ones_own_stays_where_it_was_written(tmp_path: Path) -> None:
    """Also where its name is read again, as from what was chosen."""
    (tmp_path / "own_executor_of_test.py").write_text(
        "from headstart.engine.executors.loop import loop\ndef mine(): return loop()\n"
    )
    run = load(tmp_path, "executor: own_executor_of_test:mine\n").runs[0]
    assert with_executor(run, chosen_executor(run, tmp_path)) is run
