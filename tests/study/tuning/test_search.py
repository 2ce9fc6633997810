"""Searches: what is proposed, that a search goes on as if never interrupted,
and that budgets are equal.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.parts.parameters import Tunable
from headstart.study.data import task_of
from headstart.study.federations import federation_of
from headstart.study.folder.writer import Writer
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.study.tuning import trials as trials_module
from headstart.study.tuning.search import Search, applied, searches, tuned_runs
from headstart.study.tuning.trials import (
    Trial,
    best_of,
    carry_out_search,
    edges,
    propose,
    refuse_unequal_budgets,
    stored,
    tied_with,
)
from headstart.tasks.base import TASKS

KEYS = {
    "task": "digits",
    "model": "mlp(hidden=[8])",
    "clients": ["proximal", "sgd"],
    "population": 10,
    "cohort": 2,
    "batch_size": 60,
    "rounds": 4,
    "every": 1,
    "seeds": [0, 1],
    "executor": "loop",
    "tuning": {"trials": 8, "rounds": 2, "client_rate": [0.01, 1.0], "server_rate": [0.1, 3.0]},
}


def study(**changes: Any) -> Study:
    return Study(**{**KEYS, **changes})


def trial(
    accuracy: float, status: str = "finished", rate: float = 0.1, loss: float = 1.0, rounds: int = 2
) -> Trial:
    values = {"client_rate": rate, "server_rate": 1.0, "client.mu": 0.01}
    return Trial(status, values, ((rounds, accuracy),), loss, (0,), 100, 0.0)


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


def test_a_trial_is_worth_the_mean_of_its_last_measured_rounds() -> None:
    """At most three, all of them in the second half: the climb does not count."""
    curve = ((2, 0.1), (4, 0.2), (6, 0.5), (8, 0.6), (10, 0.7), (12, 0.2))
    whole = replace(trial(0.5), curve=curve)
    assert whole.accuracy == pytest.approx((0.6 + 0.7 + 0.2) / 3)
    assert replace(whole, curve=curve[:3]).accuracy == pytest.approx((0.2 + 0.5) / 2)
    assert replace(whole, curve=curve[:1]).accuracy == pytest.approx(0.1)
    assert replace(whole, curve=()).accuracy == 0.0


def test_trials_tie_within_one_row_of_the_validation_part() -> None:
    """Of 100 rows one is .01: .591 ties with .601, .59 does not."""
    best, near, far = trial(0.601), trial(0.591), trial(0.590)
    assert tied_with(best, [near, best, far, trial(0.6, "pruned")]) == [near]
    best = replace(best, rows=10)
    assert tied_with(best, [near, best, far]) == [near, far]


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


def test_the_first_trial_is_what_the_file_says_moved_into_the_ranges() -> None:
    first, _ = searches(study(client_rates=0.2, server_rates=9.0))
    assert propose(first, [])[1] == {"client_rate": 0.2, "server_rate": 3.0, "client.mu": 0.01}


def test_proposals_are_a_function_of_the_earlier_trials() -> None:
    search, _ = searches(study())
    done = [trial(0.05 * k, rate=0.01 * 1.2**k) for k in range(20)]
    proposals = [propose(search, done[:k])[1] for k in range(20)]
    assert proposals == [propose(search, done[:k])[1] for k in range(20)]
    assert len({tuple(p.values()) for p in proposals}) == 20
    other = [replace(t, curve=((2, 1 - t.accuracy),)) for t in done]
    # Still random: what was measured changes nothing.
    assert propose(search, other[:4])[1] == proposals[4]
    assert [propose(search, other[:k])[1] for k in range(10, 20)] != proposals[10:]
    for values in proposals:
        assert all(span.low <= values[name] <= span.high for name, span in search.ranges)


def test_the_estimator_moves_towards_what_was_good() -> None:
    """Rates are drawn from 0.01 to 1 on a logarithmic scale; the higher, the better.
    26 % of random ones exceed 0.3.
    """
    search, _ = searches(study(clients=["sgd", "gd"]))
    done: list[Trial] = []
    for _ in range(30):
        values = propose(search, done)[1]
        done.append(Trial("finished", values, ((2, values["client_rate"]),), 1.0, (0,), 100, 0.0))
    assert sum(t.values["client_rate"] > 0.3 for t in done[15:]) >= 9


def test_the_best_is_a_finished_trial_and_ties_go_to_the_lower_loss() -> None:
    low, high = trial(0.5, loss=2.0), trial(0.5, loss=1.0)
    assert best_of([low, high, trial(0.9, "pruned"), trial(0.9, "diverged")]) is high
    assert best_of([trial(0.9, "diverged")]) is None
    assert trial(0.9, "diverged").accuracy == 0.0


def test_edges_are_a_twentieth_of_the_logarithmic_range() -> None:
    search, _ = searches(study())
    inside = {"client_rate": 0.1, "server_rate": 1.0, "client.mu": 0.03}
    assert edges(search, inside) == []
    assert edges(search, {**inside, "client_rate": 0.01 * 100**0.049}) == ["client_rate"]
    assert edges(search, {**inside, "client_rate": 0.01 * 100**0.051}) == []
    assert edges(search, {**inside, "client.mu": 1.0, "server_rate": 3.0}) == [
        "server_rate",
        "client.mu",
    ]


def test_unequal_budgets_are_refused() -> None:
    first, second = searches(study())
    refuse_unequal_budgets(
        {first: [trial(0.5), trial(0.6, "pruned", rounds=1)], second: [trial(0.1), trial(0.2)]}
    )
    with pytest.raises(
        HeadstartError, match="got 1 trials for the tuning of random, sgd, sgd and 2 for the tuning"
    ):
        refuse_unequal_budgets({first: [trial(0.5), trial(0.6)], second: [trial(0.1)]})
    with pytest.raises(HeadstartError, match="expected the same budget"):
        refuse_unequal_budgets({first: [trial(0.5)], second: [replace(trial(0.5), seeds=(0, 1))]})
    with pytest.raises(HeadstartError, match="expected the same budget"):
        refuse_unequal_budgets({first: [trial(0.5)], second: [trial(0.5, rounds=7)]})


def test_runs_take_the_best_values_of_their_cell_and_keep_their_own_where_all_diverged() -> None:
    asked = study()
    proximal, sgd = searches(asked)
    runs = tuned_runs(asked, {proximal: trial(0.5, rate=0.25).values, sgd: None})
    found = {(str(run.client), run.client_rate, run.server_rate) for run in runs}
    assert found == {("proximal", 0.25, 1.0), ("sgd", 0.1, 1.0)}
    changed = applied(runs[0], {"client.mu": 0.2, "server_rate": 0.5})
    assert (str(changed.client), changed.server_rate) == ("proximal(mu=0.2)", 0.5)


def counted(search: Search, out: Path, stop_after: int | None = None) -> list[Trial]:
    rounds = 0

    def is_stopping() -> bool:
        nonlocal rounds
        rounds += 1
        return stop_after is not None and rounds > stop_after

    Writer(out).write_all(carry_out_search(out, search, is_stopping))
    return stored(out, search)


def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path: Path) -> None:
    search, _ = searches(study())
    whole = counted(search, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        counted(search, tmp_path / "cut", stop_after=9)
    begun = len(stored(tmp_path / "cut", search))
    assert 0 < begun < 8
    resumed = counted(search, tmp_path / "cut")
    assert [replace(t, seconds=0.0) for t in resumed] == [replace(t, seconds=0.0) for t in whole]


def test_hopeless_trials_are_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (search,) = searches(study(clients="sgd", tuning={**KEYS["tuning"], "trials": 1, "rounds": 4}))  # type: ignore[dict-item]
    good = [
        Trial(
            "finished",
            {"client_rate": 0.1, "server_rate": 1.0},
            ((1, 0.9), (2, 0.9), (4, 0.9)),
            1.0,
            (0,),
            100,
            0.0,
        )
    ] * 6
    pruned = Writer(tmp_path).write_all(
        trials_module._carry_out_trial(tmp_path, search, good, lambda: False)
    )
    assert (pruned.status, pruned.curve[-1][0]) == ("pruned", 1)
    kept = Writer(tmp_path).write_all(
        trials_module._carry_out_trial(tmp_path, replace(search, prune=False), good, lambda: False)
    )
    assert (kept.status, kept.curve[-1][0]) == ("finished", 4)


def test_a_damaged_trial_is_one_line(tmp_path: Path) -> None:
    (search,) = searches(study(clients="sgd", tuning={**KEYS["tuning"], "trials": 1}))  # type: ignore[dict-item]
    counted(search, tmp_path)
    (path,) = (tmp_path / "tuning").rglob("*.json")
    path.write_text("{}")
    with pytest.raises(HeadstartError, match=r"0000\.json is damaged .*; delete .* and run again"):
        stored(tmp_path, search)


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
