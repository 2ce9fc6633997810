"""Trials: what is proposed, what it is worth, and that a search goes on as if never interrupted."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.study.tuning.small_tuning import KEYS, study, trial

from headstart.errors import HeadstartError
from headstart.study.folder.writer import Writer
from headstart.study.tuning import trials as trials_module
from headstart.study.tuning.search import Search, searches
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
