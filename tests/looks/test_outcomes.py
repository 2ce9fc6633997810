"""Rows sorted by start, pair and seed."""

import math

import numpy as np
from tests.looks.conftest import ADAM, DIRICHLET, EQUAL, HIGH, IID, LOW, NOVA, SGD, runs

from headstart.looks.outcomes import outcomes, step_of


def test_values_stand_by_start_pair_and_seed() -> None:
    rows = [
        *runs("random", SGD, [0.5, None]),
        *runs("proxy", ADAM, [0.6, 0.7]),
        *runs("proxy", SGD, [0.8]),
    ]
    found = outcomes(rows, (1, 0), first=2)
    assert (found.starts, found.pairs, found.setting) == (
        ("random", "proxy"),
        ((SGD,), (ADAM,)),
        IID,
    )
    nan, lost = math.nan, -math.inf
    np.testing.assert_array_equal(
        found.values, [[[lost, 0.5], [nan, nan]], [[nan, 0.8], [0.7, 0.6]]]
    )
    np.testing.assert_array_equal(found.wanted, [[True, False], [True, True]])


def test_pairs_whose_runs_came_to_the_same_are_one() -> None:
    by_rounding = [
        {**row, "test_loss": row["test_loss"] * (1 + 1e-7)} for row in runs("random", NOVA, EQUAL)
    ]
    rows = [*runs("random", SGD, EQUAL), *by_rounding, *runs("random", ADAM, EQUAL[::-1])]
    found = outcomes(rows, range(5), first=3)
    assert found.pairs == ((SGD, NOVA), (ADAM,))
    np.testing.assert_array_equal(found.values, [[EQUAL, EQUAL[::-1]]])


def test_pairs_that_are_one_from_one_start_only_are_two() -> None:
    rows = [*runs("random", SGD, EQUAL), *runs("random", NOVA, EQUAL)]
    rows += [*runs("proxy", SGD, EQUAL), *runs("proxy", NOVA, EQUAL[::-1])]
    assert outcomes(rows, range(5), first=3).pairs == ((SGD,), (NOVA,))


def test_equal_accuracies_of_other_losses_are_chance() -> None:
    rows = [*runs("random", SGD, EQUAL), *runs("random", NOVA, EQUAL, test_loss=1.0)]
    assert outcomes(rows, range(5), first=3).pairs == ((SGD,), (NOVA,))


def test_what_comes_after_the_first_look_makes_no_pairs_two() -> None:
    rows = [*runs("random", SGD, EQUAL), *runs("random", NOVA, [*EQUAL[:3], 0.1, 0.2])]
    found = outcomes(rows, range(5), first=3)
    assert found.pairs == ((SGD, NOVA),)
    np.testing.assert_array_equal(found.values, [[EQUAL]])


def test_pairs_that_diverged_are_not_one() -> None:
    rows = [*runs("random", SGD, [None, None]), *runs("random", NOVA, [None, None])]
    assert outcomes(rows, range(2), first=2).pairs == ((SGD,), (NOVA,))


def test_a_pair_has_the_rates_that_did_best_over_the_first_look() -> None:
    poor, good = (
        runs("random", SGD, [0.4] * 3 + [0.99] * 2),
        runs("random", SGD, EQUAL, client_rate=0.3),
    )
    found = outcomes([*poor, *good], range(5), first=3)
    np.testing.assert_array_equal(found.values, [[EQUAL]])


def test_seeds_that_were_tuned_by_themselves_have_rates_of_their_own() -> None:
    even = [row for row in runs("random", SGD, EQUAL) if row["seed"] % 2 == 0]
    odd = [row for row in runs("random", SGD, EQUAL, client_rate=0.3) if row["seed"] % 2]
    np.testing.assert_array_equal(outcomes([*even, *odd], range(5), first=3).values, [[EQUAL]])


def test_only_the_setting_with_most_runs_counts() -> None:
    rows = [
        *runs("random", SGD, LOW),
        *runs("random", SGD, HIGH, DIRICHLET),
        *runs("random", ADAM, LOW, DIRICHLET),
    ]
    found = outcomes(rows, range(5), first=3)
    assert (found.setting, found.pairs) == (DIRICHLET, ((SGD,), (ADAM,)))
    np.testing.assert_array_equal(found.values, [[HIGH, LOW]])


def test_the_step_of_accuracy_is_one_prediction() -> None:
    assert step_of(runs("random", SGD, LOW)) == 0.001
    assert step_of([{"test_predictions": None}]) == 0.0
