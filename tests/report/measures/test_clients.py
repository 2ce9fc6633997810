"""Whom a start helps, from accuracies with known answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.looks.competitors import Pair
from headstart.report.measures.clients import Helped, helped, of_clients, on_own_rows, worst_tenth
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.statistics.intervals import t_interval
from headstart.statistics.shares import wilson

PAIR = "sgd + adam"
Accuracies = dict[str, list[dict[int, float]]]


def with_clients(grid: Grid, of: Accuracies) -> Grid:
    """start -> by seed the accuracy of each client."""
    clients = {run.run: of[run.start][run.seed] for run in grid.records.runs}
    return sort(replace(grid.records, clients=clients))


def both(grid: Grid) -> Helped | None:
    return helped(grid, *(grid.cell(start, Pair("sgd", "adam")) for start in ("random", "proxy")))


def test_clients_are_paired_within_each_seed(table: Callable[..., Grid]) -> None:
    before = [dict.fromkeys(range(10), 0.5) for _ in range(3)]
    # client 0 loses in every seed, client 1 in one more; client 9 is unchanged
    gains = [[-0.2, 0.1], [-0.1, 0.1], [-0.3, -0.1]]
    after = [
        {i: 0.5 + (gain[i] if i < 2 else 0.0 if i == 9 else 0.2) for i in range(10)}
        for gain in gains
    ]
    grid = with_clients(
        table({"random": {PAIR: [0.5] * 3}, "proxy": {PAIR: [0.6] * 3}}),
        {"random": before, "proxy": after},
    )
    found = both(grid)
    assert found is not None
    assert found.worse.value == pytest.approx(np.mean([0.1, 0.1, 0.2]))
    assert found.better.value == pytest.approx(np.mean([0.8, 0.8, 0.7]))
    assert found.middle.value == pytest.approx(0.2)
    # the worst of ten clients is the worst tenth
    assert found.tenth is not None
    assert found.tenth.value == pytest.approx(np.mean([-0.2, -0.1, -0.3]))
    assert found.tenth == found.worst
    assert found.clients == 10
    for gain_K in found.gains.values():
        np.testing.assert_array_equal(gain_K, np.sort(gain_K))


def simulated(
    table: Callable[..., Grid], shift: float, common: float, seeds: int, draw: Any
) -> Helped:
    """60 clients whose gains are a shift, the luck of the seed's model,
    and what is their own (sd .05).
    """
    luck = draw.normal(0, common, seeds)
    before = [dict.fromkeys(range(60), 0.5) for _ in range(seeds)]
    after = [dict(enumerate(0.5 + shift + u + draw.normal(0, 0.05, 60))) for u in luck]
    accuracies = {start: {PAIR: [0.5] * seeds} for start in ("random", "proxy")}
    found = both(with_clients(table(accuracies), {"random": before, "proxy": after}))
    assert found is not None
    return found


@pytest.mark.parametrize("common", [0.01, 0.2])
@pytest.mark.parametrize("seeds", [3, 5])
def test_clients_that_share_the_luck_of_a_model_are_no_crowd_of_witnesses(
    table: Callable[..., Grid], common: float, seeds: int
) -> None:
    draw = np.random.Generator(np.random.Philox(key=29))
    false = covered = by_shares = 0
    for _ in range(400):
        found = simulated(table, 0.0, common, seeds, draw)
        assert found.middle.low is not None
        assert found.middle.high is not None
        false += not found.middle.low <= 0 <= found.middle.high
        assert found.worse.low is not None
        assert found.worse.high is not None
        covered += found.worse.low <= 0.5 <= found.worse.high  # half of them, were there no luck
        more = [float((gain > 0).mean() - (gain < 0).mean()) for gain in found.gains.values()]
        low, high = t_interval(more).low, t_interval(more).high
        by_shares += low is not None and high is not None and not low <= 0 <= high
    assert false <= 0.08 * 400
    assert covered >= 0.92 * 400
    if (common, seeds) == (0.2, 3):
        assert by_shares > 0.08 * 400  # why it is not taken from shares


def test_one_seed_has_an_interval_over_clients(table: Callable[..., Grid]) -> None:
    before, after = [dict.fromkeys(range(40), 0.5)], [{i: 0.4 if i < 6 else 0.6 for i in range(40)}]
    grid = with_clients(
        table({"random": {PAIR: [0.5]}, "proxy": {PAIR: [0.6]}}), {"random": before, "proxy": after}
    )
    found = both(grid)
    assert found is not None
    assert (found.worse.low, found.worse.high) == wilson(6, 40)
    assert found.worse.n == 1


def test_only_clients_of_both_starts_count(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.5]}, "proxy": {PAIR: [0.6]}})
    grid = with_clients(grid, {"random": [{0: 0.5, 1: 0.9}], "proxy": [{0: 0.6, 2: 0.1}]})
    found = both(grid)
    assert found is not None
    assert (found.clients, found.worse.value, found.better.value) == (1, 0.0, 1.0)


def test_rounding_is_no_gain(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.5]}, "proxy": {PAIR: [0.6]}})
    found = both(with_clients(grid, {"random": [{0: 0.3}], "proxy": [{0: 0.1 + 0.2}]}))
    assert found is not None
    assert (found.worse.value, found.better.value) == (0.0, 0.0)


def test_diverged_runs_and_studies_without_the_probe_have_none(table: Callable[..., Grid]) -> None:
    grid = table({"random": {PAIR: [0.5, None]}, "proxy": {PAIR: [0.6, 0.6]}})
    assert both(grid) is None
    grid = with_clients(grid, {"random": [{0: 0.3}] * 2, "proxy": [{0: 0.4}] * 2})
    assert list(of_clients(grid, grid.cell("random", Pair("sgd", "adam")))) == [0]


@pytest.mark.parametrize(("clients", "lowest"), [(1, 1), (10, 1), (11, 2), (30, 3), (3400, 340)])
def test_the_worst_tenth_is_rounded_up(clients: int, lowest: int) -> None:
    values = np.arange(clients, dtype=float)
    assert worst_tenth(reversed(values.tolist())) == values[:lowest].mean()


def test_it_says_on_whose_rows(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = with_curves(
        table({"random": {PAIR: [0.5]}}), "clients_on_own_rows", lambda run: [(9, 1.0)]
    )
    assert on_own_rows(grid, grid.cell("random", Pair("sgd", "adam")))
    assert not on_own_rows(
        table({"random": {PAIR: [0.5]}}), grid.cell("random", Pair("sgd", "adam"))
    )


def test_seeds_that_share_a_tuning_count_as_one(table: Callable[..., Grid]) -> None:
    """Four seeds at the rates of two tunings are two results: seeds 0 and 2, and 1 and 3."""
    before = [dict.fromkeys(range(3), 0.5) for _ in range(4)]
    after = [dict.fromkeys(range(3), 0.5 + gain) for gain in (0.1, 0.2, 0.3, 0.6)]
    accuracies = {start: {PAIR: [0.5] * 4} for start in ("random", "proxy")}
    grid = table(accuracies, tuning={"trials": 3, "repeats": 2})
    found = both(with_clients(grid, {"random": before, "proxy": after}))
    assert found is not None
    expected = t_interval([0.2, 0.4])
    for each in (found.middle, found.tenth, found.worst):
        assert each is not None
        assert (each.value, each.low, each.n) == pytest.approx((expected.value, expected.low, 2))
    assert found.better.n == 2
