"""Searches: what is tuned, on which seeds and rows, and the runs with what was found."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from tests.study.tuning.small_tuning import KEYS, study, trial

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.parts.parameters import Tunable
from headstart.study.data import task_of
from headstart.study.federations import federation_of
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.study.tuning.search import applied, searches, tuned_runs
from headstart.study.tuning.trials import (
    Trial,
    propose,
)
from headstart.tasks.base import TASKS


def test_three_tuning_seeds_of_its_own_are_the_default() -> None:
    """A seed that is judged is not tuned on: its validation rows share the draws of its
    training.
    """
    search, _ = searches(study())
    assert search.seeds == (1_000_000, 1_000_001, 1_000_002)
    assert not {run.seed for run in study().runs} & set(search.seeds)
    assert "  seeds:\n  - 1000000\n  - 1000001\n  - 1000002\n" in study().resolved()


def repeated(repeats: int, **changes: Any) -> Study:
    return study(tuning={**KEYS["tuning"], "repeats": repeats}, **changes)  # type: ignore[dict-item]


def test_each_repeat_is_a_tuning_of_its_own() -> None:
    """Other seeds and other proposals; the first trial is what the file says in each."""
    once, twice = searches(study(clients="sgd")), searches(repeated(2, clients="sgd"))
    assert once == twice[:1]
    assert [search.seeds for search in twice] == [
        (1_000_000, 1_000_001, 1_000_002),
        (1_000_003, 1_000_004, 1_000_005),
    ]
    first, second = twice
    assert first.key != second.key
    assert propose(first, [])[1] == propose(second, [])[1]
    begun = [
        Trial(
            "finished", {"client_rate": 0.1, "server_rate": 1.0}, ((2, 0.5),), 1.0, (0,), 100, 0.0
        )
    ]
    assert propose(first, begun)[1] != propose(second, begun)[1]


def test_judged_seeds_are_dealt_over_the_repeats_in_turn() -> None:
    asked = repeated(2, clients="sgd", seeds=[0, 1, 2, 3])
    first, second = searches(asked)
    values = {
        first: {"client_rate": 0.2, "server_rate": 1.0},
        second: {"client_rate": 0.5, "server_rate": 1.0},
    }
    assert [(run.seed, run.client_rate) for run in tuned_runs(asked, values)] == [
        (0, 0.2),
        (1, 0.5),
        (2, 0.2),
        (3, 0.5),
    ]


def test_repeats_that_no_seed_would_use_are_one_line() -> None:
    with pytest.raises(
        HeadstartError,
        match=r"tuning.repeats: a seed takes .* seeds for all 3, got some for 2; name",
    ):
        repeated(3, seeds=[0, 1])
    with pytest.raises(
        HeadstartError, match=r"tuning.repeats: .* expected seeds for all 2, got some for 1"
    ):
        repeated(2, seeds=[0, 2, 4])
    with pytest.raises(
        HeadstartError, match=r"tuning.seeds: expected as many for each of 2 repeats, got 3"
    ):
        study(tuning={"repeats": 2, "seeds": [5, 6, 7]})


def test_a_method_declares_what_is_tuned_in_its_signature() -> None:
    assert CLIENTS.entry("proximal").tunable == {"mu": Tunable(1e-3, 1.0)}
    assert CLIENTS.entry("sgd").tunable == {}
    first, second = searches(study())
    assert dict(first.ranges) == {
        "client_rate": Tunable(0.01, 1.0), "server_rate": Tunable(0.1, 3.0),
        "client.mu": Tunable(1e-3, 1.0),
    }  # fmt: skip
    assert [name for name, _ in second.ranges] == ["client_rate", "server_rate"]


def test_a_range_may_lie_around_what_the_file_says_for_a_pair() -> None:
    rates = [{"server": "adam", "client_rate": 0.3, "server_rate": 0.01}]
    asked = {"client_rate": {"around": 5}, "server_rate": {"around": 4.0}, "parameters": False}
    found = searches(
        study(clients="sgd", servers=["sgd", "adam"], rates=rates, client_rates=0.2, tuning=asked)
    )
    assert [dict(search.ranges) for search in found] == [
        {"client_rate": Tunable(0.2 / 5, 0.2 * 5), "server_rate": Tunable(1.0 / 4, 1.0 * 4)},
        {"client_rate": Tunable(0.3 / 5, 0.3 * 5), "server_rate": Tunable(0.01 / 4, 0.01 * 4)},
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"around": 1},
            "tuning.client_rate.around: expected a number >= 1.01 and <= 1000000.0, got 1",
        ),
        ({"arond": 3}, "tuning.client_rate: unknown key 'arond'; did you mean 'around'"),
        ([0.1], "tuning.client_rate: expected a range [low, high] or {around: 5}, got [0.1]"),
        (
            [1, 0.1],
            "tuning.client_rate: expected a range [low, high] with low < high, got [1, 0.1]",
        ),
    ],
)
def test_a_range_without_sense_is_one_line(given: object, said: str) -> None:
    with pytest.raises(HeadstartError) as error:
        study(tuning={"client_rate": given})
    assert str(error.value).startswith(said)


def test_a_parameter_that_the_file_sets_is_left_alone() -> None:
    (only,) = searches(study(clients="proximal(mu=0.5)"))
    assert [name for name, _ in only.ranges] == ["client_rate", "server_rate"]


@pytest.mark.parametrize(
    ("low", "high", "log"), [(1.0, 0.1, True), (0.0, 1.0, True), (2.0, 2.0, False)]
)
def test_a_range_that_is_turned_round_or_not_logarithmic_is_refused(
    low: float, high: float, log: bool
) -> None:
    with pytest.raises(ValueError, match="expected a range"):
        Tunable(low, high, log)


def test_bad_tunings_are_one_line() -> None:
    with pytest.raises(
        HeadstartError, match=r"tuning\.client_rate: expected a range .*got \[1, 0.1\]"
    ):
        study(tuning={"client_rate": [1.0, 0.1]})
    with pytest.raises(
        HeadstartError, match=r"client_rates: expected one value, as `tuning` searches for it"
    ):
        study(client_rates=[0.1, 0.3])


def test_searches_measure_on_the_validation_part_only() -> None:
    for search in searches(study()):
        assert search.base.evaluate_on == "validation"
        assert search.base.rounds == 2
    assert all(run.evaluate_on == "test" for run in study().runs)


def test_what_a_search_tests_on_is_the_validation_part() -> None:
    for search in searches(study()):
        task, seen = task_of(search.base.task), federation_of(search.base).task
        assert torch.equal(seen.test.inputs, task.validation.inputs)
        assert not torch.equal(seen.test.inputs[:9], task.test.inputs[:9])


FILES = pytest.mark.skipif(
    "HEADSTART_DATA" not in os.environ, reason="needs the files of $HEADSTART_DATA"
)


@pytest.mark.parametrize(
    "name",
    [
        "digits",
        pytest.param("mnist-writers", marks=FILES),
        pytest.param("cifar10", marks=[FILES, pytest.mark.slow]),
    ],
)
def test_no_test_row_is_validated_or_trained_on(name: str) -> None:
    """Text is held to this by its documents: tests/tasks/test_next_token.py."""
    task = task_of(TASKS.component(name))
    train, validation, test = (
        {row.numpy().tobytes() for row in getattr(task, part).inputs}
        for part in ("train", "validation", "test")
    )
    assert not validation & test
    assert not train & validation
    assert not train & test


def test_parameters_that_a_preset_sets_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = CLIENTS.entry("proximal")
    monkeypatch.setitem(
        CLIENTS._entries, "proximal", replace(entry, presets={"paper": {"mu": 0.3}})
    )
    (only,) = searches(study(clients="proximal@paper"))
    assert [name for name, _ in only.ranges] == ["client_rate", "server_rate"]


def test_cells_are_pairs_and_starts_and_what_the_file_names() -> None:
    axes = {"partitions": ["iid", "dirichlet(alpha=0.1)"], "local_epochs": [1, 2]}
    assert len(searches(study(**axes))) == 2
    assert len(searches(study(**axes, tuning={**KEYS["tuning"], "each": ["local_epochs"]}))) == 4  # type: ignore[dict-item]


def test_runs_take_the_best_values_of_their_cell_and_keep_their_own_where_all_diverged() -> None:
    asked = study()
    proximal, sgd = searches(asked)
    runs = tuned_runs(asked, {proximal: trial(0.5, rate=0.25).values, sgd: None})
    found = {(str(run.client), run.client_rate, run.server_rate) for run in runs}
    assert found == {("proximal", 0.25, 1.0), ("sgd", 0.1, 1.0)}
    changed = applied(runs[0], {"client.mu": 0.2, "server_rate": 0.5})
    assert (str(changed.client), changed.server_rate) == ("proximal(mu=0.2)", 0.5)


def test_a_study_uses_what_its_tuning_found_and_can_be_run_again(tmp_path: Path) -> None:
    asked = study(tuning={**KEYS["tuning"], "trials": 3})  # type: ignore[dict-item]
    run_study(asked, tmp_path)
    trials = pq.read_table(tmp_path / "results" / "trials.parquet").to_pylist()
    assert [row["client"] for row in trials] == ["proximal"] * 3 + ["sgd"] * 3
    best = {row["client"]: row["client_rate"] for row in trials if row["best"]}
    runs = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    assert len(runs) == 4
    assert {row["client"].split("(")[0]: row["client_rate"] for row in runs} == best
    assert not (tmp_path / "results" / "rates.yaml").exists()
    before = {path: path.read_bytes() for path in (tmp_path / "results").iterdir()}
    run_study(asked, tmp_path)
    assert {path: path.read_bytes() for path in (tmp_path / "results").iterdir()} == before
    for path in (tmp_path / "tuning").rglob("0000.json"):
        assert json.loads(path.read_text())["status"] == "finished"


def test_a_study_that_tunes_twice_runs_each_seed_with_the_rates_of_its_repeat(
    tmp_path: Path,
) -> None:
    asked = repeated(2, clients="sgd")
    asked.file.tuning.trials = 3  # type: ignore[union-attr]
    run_study(asked, tmp_path)
    trials = pq.read_table(tmp_path / "results" / "trials.parquet").to_pylist()
    assert [row["repeat"] for row in trials] == [0] * 3 + [1] * 3
    best = {row["repeat"]: row["client_rate"] for row in trials if row["best"]}
    runs = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    assert {row["seed"]: row["client_rate"] for row in runs} == best
    assert not (tmp_path / "results" / "rates.yaml").exists()


@pytest.mark.slow
def test_several_processes_find_the_same(tmp_path: Path) -> None:
    asked = study(tuning={**KEYS["tuning"], "trials": 6})  # type: ignore[dict-item]
    tables = []
    for jobs in (1, 2):
        run_study(asked, tmp_path / str(jobs), jobs=jobs)
        tables.append(
            pq.read_table(tmp_path / str(jobs) / "results" / "trials.parquet").drop_columns(
                ["seconds"]
            )
        )
    assert tables[0].equals(tables[1])
