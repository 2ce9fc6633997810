"""Orders of pairs: ranks, Kendall's tau, and whether a start changes an order beyond noise."""

import itertools

import numpy as np
import pytest
from scipy import stats

from headstart.statistics import orders


def generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=7))


def test_ranks_equal_scipy_and_diverged_is_last() -> None:
    x = [0.3, 0.9, 0.9, 0.1, 0.5]
    assert orders.ranks(x) == list(stats.rankdata([-v for v in x]))
    assert orders.ranks([np.nan, 0.1, np.nan]) == [2.5, 1.0, 2.5]


def test_mean_ranks_average_over_seeds() -> None:
    assert orders.mean_ranks(np.array([[0.9, 0.5], [0.8, 0.6], [np.nan, np.nan]])) == [
        1.5,
        1.5,
        3.0,
    ]


def test_kendall_equals_scipy_with_ties() -> None:
    rng = generator()
    a, b = rng.integers(5, size=12).tolist(), rng.integers(5, size=12).tolist()
    assert orders.kendall(a, b).tau == pytest.approx(stats.kendalltau(a, b).statistic)


def test_kendall_counts_swaps() -> None:
    assert orders.kendall([1, 2, 3], [1, 2, 3]) == orders.Agreement(1.0, 0, 3)
    assert orders.kendall([1, 2, 3], [3, 2, 1]) == orders.Agreement(-1.0, 3, 3)
    assert orders.kendall([1, 1], [1, 2]).tau is None
    assert orders.kendall([1, 2, np.nan], [1, 2, np.nan]).tau == 1.0


def test_rank_change_is_zero_for_equal_orders_and_large_for_reversed_ones() -> None:
    order = np.array([[0.9, 0.91, 0.92], [0.5, 0.51, 0.52], [0.1, 0.11, 0.12]])
    same, within, between = orders.rank_change(order, order)
    assert same is not None
    assert (same.value, within, between) == (0.0, 1.0, 1.0)
    reversed_, within, between = orders.rank_change(order, order[::-1])
    assert reversed_ is not None
    assert (reversed_.value, within, between) == (2.0, 1.0, -1.0)
    assert orders.rank_change(order[:, :1], order[:, :1]) == (None, None, None)


def test_taus_of_all_seeds_are_those_of_kendall() -> None:
    a, b = generator().integers(3, size=(2, 4, 6)).astype(float)  # with ties
    a[0, 1], b[2, 3], a[:, 5] = np.nan, np.nan, 1.0
    for s, o in itertools.product(range(6), repeat=2):
        tau = orders.kendall(list(a[:, s]), list(b[:, o])).tau
        assert orders._taus(a, b)[s, o] == tau or (
            tau is None and np.isnan(orders._taus(a, b)[s, o])
        )


def test_rank_change_has_the_spread_of_a_mean_over_couples() -> None:
    """Three seeds, orders (1 2 3) and (2 1 3), so that tau is 1 or 1/3:
    the interval is written out.
    """
    order, other = [3.0, 2.0, 1.0], [2.0, 3.0, 1.0]
    a, b = np.array([order, order, other]).T, np.array([other, order, order]).T
    within = [
        (1 + 1 / 3 + 1 / 3 + 1 / 3) / 4,
        (1 + 1 / 3 + 1 / 3 + 1) / 4,
        (1 / 3 + 1 / 3 + 1 / 3 + 1) / 4,
    ]
    between = [
        np.mean(
            [
                orders.kendall(list(m[:, s]), list(n[:, o])).tau
                for m, n in ((a, b), (b, a))
                for o in range(3)
                if o != s
            ]
        )
        for s in range(3)
    ]
    d = np.subtract(within, between)
    change, *_ = orders.rank_change(a, b)
    assert change is not None
    assert change.high is not None
    assert change.value == pytest.approx(d.mean())
    assert change.high - change.value == pytest.approx(
        2 * 4.302652729911275 * d.std(ddof=1) / np.sqrt(3)
    )


def test_two_seeds_are_too_few_to_see_the_noise_of_an_order() -> None:
    """Tau of two seeds is the same seen from either, so that an interval over the two has no
    width.
    """
    rng = generator()
    assert orders.rank_change(rng.normal(size=(9, 2)), rng.normal(size=(9, 2))) == (
        None,
        None,
        None,
    )


def test_a_run_that_diverged_ranks_last_in_its_own_seed_alone() -> None:
    """The best of three pairs diverges in one of five seeds:
    in that seed the other two move up by one.
    """
    a = np.array([[3.0] * 5, [2.0] * 5, [1.0] * 5])
    b = a.copy()
    b[0, 4] = np.nan
    change, _, between = orders.rank_change(a, b)
    last = orders.kendall([3.0, 2.0, 1.0], [np.nan, 2.0, 1.0]).tau
    assert last == pytest.approx(-1 / 3)
    assert between == pytest.approx(0.8 + 0.2 * last)  # type: ignore[operator]
    assert change is not None
    assert not change.positive


def test_rank_change_of_pure_noise_is_zero_on_average() -> None:
    rng = generator()
    changes = [
        orders.rank_change(rng.normal(size=(6, 3)), rng.normal(size=(6, 3)))[0] for _ in range(200)
    ]
    values = [change.value for change in changes if change]
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / np.sqrt(len(values)))


def test_an_order_that_every_seed_repeats_has_an_interval_of_one_point() -> None:
    a = np.array([[3.0, 3.1, 3.2], [2.0, 2.1, 2.2], [1.0, 1.1, 1.2]])
    generator = np.random.Generator(np.random.Philox(key=1))
    assert orders.order_interval(a, a, generator) == orders.OrderInterval((1.0, 1.0), (0, 0))
    assert orders.order_interval(a, a[::-1], generator) == orders.OrderInterval(
        (-1.0, -1.0), (3, 3)
    )


def test_an_order_that_seeds_disagree_on_has_a_wide_interval() -> None:
    a = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    b = np.array([[1.0, 0.0, 1.0, 0.0], [0.1, 0.9, 0.1, 0.9]])
    found = orders.order_interval(a, b, np.random.Generator(np.random.Philox(key=1)))
    assert found == orders.OrderInterval((-1.0, 1.0), (0, 1))
    assert (
        orders.order_interval(a[:, :2], b[:, :2], np.random.Generator(np.random.Philox(key=1)))
        is None
    )


@pytest.mark.parametrize("reversed_", [False, True])
def test_resampled_swaps_lean_towards_half_of_the_couples(reversed_: bool) -> None:
    """Seven pairs one standard error apart, of which none or all truly swap:
    0 or 21 of 21 couples.
    """
    rng, measured, resampled = generator(), [], []
    a_P = np.arange(7.0)
    b_P = a_P[::-1] if reversed_ else a_P
    for _ in range(30):
        a, b = (mean[:, None] + rng.normal(0, 2, (7, 4)) for mean in (a_P, b_P))
        measured.append(orders.kendall(list(a.mean(axis=1)), list(b.mean(axis=1))).swapped)
        found = orders.order_interval(a, b, rng, draws=100)
        assert found is not None
        resampled.append(sum(found.swapped) / 2)
    assert abs(np.mean(resampled) - 10.5) < abs(np.mean(measured) - 10.5) < 10.5


def _at_most(share: float, level: float, trials: int) -> bool:
    """Whether a simulated share may be that of a test that errs at its level or less often:
    three standard errors.
    """
    return share < level + 3 * np.sqrt(level * (1 - level) / trials)


@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.0, 0.5, 1.0])
def test_starts_that_change_nothing_change_the_order_at_most_at_the_level(gap: float) -> None:
    """The same nine pairs, `gap` standard deviations apart, from both starts."""
    rng, trials, said = generator(), 300, 0
    for _ in range(trials):
        a, b = gap * np.arange(9)[:, None] + rng.normal(size=(2, 9, 3))
        change, *_ = orders.rank_change(a, b)
        said += change is not None and change.positive
    assert _at_most(said / trials, 0.05, trials)


@pytest.mark.slow
def test_interval_of_the_order_covers_the_true_one() -> None:
    """Six pairs three standard errors apart and more, of which two couples truly swap."""
    rng, trials = generator(), 150
    a_P = np.array([0.0, 2.0, 4.0, 6.0, 8.0, 10.0])
    b_P = a_P[[1, 0, 2, 3, 5, 4]]
    covered = 0
    for _ in range(trials):
        a, b = (mean[:, None] + rng.normal(0, 0.5, (6, 5)) for mean in (a_P, b_P))
        found = orders.order_interval(a, b, rng, draws=200)
        assert found is not None
        covered += found.swapped[0] <= 2 <= found.swapped[1]
    assert covered / trials >= 0.95
