"""Class shares and sizes drawn from a Dirichlet over clients: every row once, the distribution as
told, no hanging.

Statistical bounds are 4.9 standard errors (two-sided 1e-6) at fixed seeds.
"""

import time

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import beta as beta_distribution

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, Examples, Rows, Task
from headstart.tasks.partitions.dealing import drawn_counts, top_up

BETAS = [1e-6, 0.01, 0.5, 100.0]


def split(
    written: str, labels: npt.NDArray[np.int64], population: int, seed: int = 0
) -> list[Rows]:
    rows = Examples(torch.zeros(len(labels), 1), torch.from_numpy(labels))
    task = Task("made up", rows, rows, rows, int(labels.max()) + 1)
    return list(PARTITIONS.build(PARTITIONS.component(written))(task, population, seed))


def assert_every_row_once(clients: list[Rows], rows: int, minimum: int = 1) -> None:
    assert np.array_equal(np.sort(np.concatenate(clients)), np.arange(rows))
    assert min(len(client) for client in clients) >= minimum


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", ["dirichlet-classes", "quantity-skew"])
@pytest.mark.parametrize("population", [1, 2, 9, 100])
def test_every_row_is_used_once_and_nobody_has_less_than_the_minimum(
    name: str, beta: float, population: int
) -> None:
    labels = np.random.Generator(np.random.Philox(0)).choice(7, 1200, p=np.arange(1, 8) / 28)
    for seed in range(5):
        for minimum in (1, 10, 1200 // population):
            written = f"{name}(beta={beta}, minimum={minimum}, short='top-up')"
            clients = split(written, labels, population, seed)
            assert len(clients) == population
            assert_every_row_once(clients, 1200, minimum)


@pytest.mark.parametrize("beta", [0.05, 0.5, 5.0])
def test_shares_of_a_class_are_dirichlet(beta: float) -> None:
    """A share of Dirichlet(beta, ..., beta) over K clients is Beta(beta, (K - 1) beta); 100,000
    rows resolve it.

    The first client, the last and one between: whichever, the cuts favour nobody.
    """
    generator = np.random.Generator(np.random.Philox(1))
    n, population = 100_000, 5
    counts = np.array(
        [drawn_counts(np.array([n]), population, beta, False, generator)[0] for _ in range(2000)]
    )
    assert set(counts.sum(1)) == {n}
    shares = counts / n
    marginal = beta_distribution(beta, (population - 1) * beta)
    for client in (0, 2, 4):
        for bound in (0.01, 0.1, 0.2, 0.5, 0.9):
            p = marginal.cdf(bound)
            # A whole number of rows moves the distribution by less.
            deviation = np.sqrt(p * (1 - p) / 2000) + 1e-3
            assert abs((shares[:, client] <= bound).mean() - p) < 4.9 * deviation, (client, bound)
    # Dirichlet: the covariance of two shares is -1 / (K^2 (K beta + 1)).
    products = (shares[:, 0] - 1 / population) * (shares[:, 4] - 1 / population)
    expected = -1 / (population**2 * (population * beta + 1))
    assert abs(products.mean() - expected) < 4.9 * products.std() / np.sqrt(2000)


def test_counts_are_the_shares_to_within_one_row_and_right_on_average() -> None:
    """For known shares: replace the draw by one of beta 1e9,
    whose shares are 1 / K to 1e-4 of themselves.
    """
    generator = np.random.Generator(np.random.Philox(2))
    counts = np.array(
        [drawn_counts(np.array([10]), 4, 1e12, False, generator)[0] for _ in range(4000)]
    )
    assert set(counts.ravel()) == {2, 3}  # 10 / 4 = 2.5
    assert (np.abs(counts.mean(0) - 2.5) < 4.9 * 0.5 / np.sqrt(4000)).all()


def test_classes_are_shared_out_independently() -> None:
    generator = np.random.Generator(np.random.Philox(3))
    tables = np.array(
        [drawn_counts(np.array([5000, 3000]), 4, 0.5, False, generator) for _ in range(2000)]
    )
    shares = tables / np.array([5000, 3000])[:, None]
    products = (shares[:, 0, 1] - 0.25) * (shares[:, 1, 1] - 0.25)
    assert abs(products.mean()) < 4.9 * products.std() / np.sqrt(2000)


def test_towards_zero_each_class_goes_to_one_client() -> None:
    labels = np.repeat(np.arange(10), 50)
    written = "dirichlet-classes(beta=1e-6, short='top-up')"
    for seed in range(20):
        clients = split(written, labels, 4, seed)
        counts = np.array([np.bincount(labels[rows], minlength=10) for rows in clients])
        # Clients that no class went to have one row of another's.
        spare = 4 - (counts.sum(1) > 1).sum()
        assert (counts.max(0) >= 50 - spare).all()


def test_quantity_skew_leaves_labels_iid() -> None:
    """Chi-squared of the labels of a large client against the whole, over 200 seeds:
    its mean is C - 1.
    """
    labels = np.repeat(np.arange(5), [100, 200, 300, 400, 1000])
    whole = np.bincount(labels) / 2000
    statistics = []
    for seed in range(200):
        rows = max(split("quantity-skew(beta=0.5, short='top-up')", labels, 10, seed), key=len)
        n = len(rows)
        statistic = ((np.bincount(labels[rows], minlength=5) - n * whole) ** 2 / (n * whole)).sum()
        statistics.append(statistic / (1 - (n - 1) / 1999))  # drawn without replacement
    assert abs(np.mean(statistics) - 4) < 4.9 * np.sqrt(8 / 200)


def test_redrawing_is_the_distribution_given_that_nobody_is_short() -> None:
    """Against filtering tables by hand: two clients of a class of 40, minimum 10,
    mean and mean square agree.
    """
    labels = np.zeros(40, dtype=np.int64)
    got = np.array(
        [
            len(split("dirichlet-classes(beta=0.5, minimum=10)", labels, 2, seed)[0])
            for seed in range(1500)
        ]
    )
    generator = np.random.Generator(np.random.Philox(4))
    tables = np.array(
        [drawn_counts(np.array([40]), 2, 0.5, False, generator)[0] for _ in range(6000)]
    )
    kept = tables[(tables >= 10).all(1), 0]
    assert got.min() >= 10
    assert got.max() <= 30
    for power in (1, 2):
        a, b = got.astype(float) ** power, kept.astype(float) ** power
        assert abs(a.mean() - b.mean()) < 4.9 * np.sqrt(a.var() / len(a) + b.var() / len(b))


def test_where_nobody_is_short_both_rules_give_the_same_split() -> None:
    labels = np.arange(1000) % 10
    a, b = (
        split(f"dirichlet-classes(beta=1.0, short='{short}')", labels, 10)
        for short in ("redraw", "top-up")
    )
    assert all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


def test_topping_up_takes_only_what_is_missing_and_from_those_who_have_more() -> None:
    generator = np.random.Generator(np.random.Philox(5))
    sizes = np.array([0, 3, 5, 12, 80])
    before = np.repeat(np.arange(5), sizes)
    lost = np.zeros(5)
    for _ in range(500):
        after = before.copy()
        top_up(after, 5, 5, generator)
        assert np.array_equal(np.bincount(after)[:3], [5, 5, 5])
        assert (after != before).sum() == 5 + 2
        assert np.bincount(after).min() == 5
        lost += sizes - np.bincount(after)
    # 82 rows are above the minimum, 7 and 75 of clients 3 and 4; 7 of them are taken, uniformly.
    assert abs(lost[3] / 500 - 7 * 7 / 82) < 4.9 * np.sqrt(7 * (7 / 82) * (75 / 82) / 500)


def test_capped_clients_get_nothing_of_later_classes() -> None:
    """What a client has when a class begins is below its even share,
    else it gets nothing of that class.
    """
    generator = np.random.Generator(np.random.Philox(6))
    for _ in range(50):
        counts = drawn_counts(np.full(10, 100), 20, 0.5, True, generator)
        before = np.cumsum(counts, 0) - counts
        assert (counts[before >= 50] == 0).all()
        assert counts.sum() == 1000
        assert (counts.sum(1) == 100).all()
    preset = dict(PARTITIONS.component("dirichlet-classes@niid-bench").parameters)
    assert preset == {"beta": 0.5, "minimum": 10, "short": "redraw", "capped": True}
    assert_every_row_once(split("dirichlet-classes@niid-bench", np.arange(5000) % 10, 10), 5000, 10)


@pytest.mark.parametrize("name", ["dirichlet-classes", "quantity-skew"])
def test_what_never_comes_is_an_error_that_says_so(name: str) -> None:
    began = time.process_time()
    with pytest.raises(
        HeadstartError,
        match=r"was drawn 100 times for 1000 clients, .* at least \d+ clients had fewer rows than "
        r"1;",
    ):
        split(f"{name}(beta=0.01)", np.arange(10_000) % 10, 1000)
    assert time.process_time() - began < 5.0  # measured: 0.3 s
    with pytest.raises(
        HeadstartError,
        match="20 training rows cannot be dealt to 7 clients so that each has 3 rows",
    ):
        split(f"{name}(minimum=3, short='top-up')", np.arange(20) % 2, 7)


@pytest.mark.parametrize("name", ["dirichlet-classes", "quantity-skew"])
@pytest.mark.parametrize("beta", [1e-6, 0.1, 10.0])
def test_ten_thousand_clients_take_seconds_whatever_beta(name: str, beta: float) -> None:
    labels = np.arange(100_000) % 62
    began = time.process_time()
    clients = split(f"{name}(beta={beta}, short='top-up')", labels, 10_000)
    assert time.process_time() - began < 5.0  # measured: 0.1 s
    assert len(clients) == 10_000
    assert_every_row_once(clients, 100_000)
