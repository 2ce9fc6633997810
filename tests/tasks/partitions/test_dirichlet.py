"""Partitions use every row once, skew labels as the paper says, and are functions of their seed."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import ks_2samp

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, ClientRows, Examples, Rows, Task
from headstart.tasks.digits import digits
from headstart.tasks.partitions.dirichlet import class_counts

ALPHAS = [1e-6, 0.001, 0.1, 1.0, 100.0]


def task(labels: npt.NDArray[np.int64], owners: npt.NDArray[np.int64] | None = None) -> Task:
    rows = Examples(torch.zeros(len(labels), 1), torch.from_numpy(labels))
    return Task("made up", rows, rows, rows, int(labels.max(initial=0)) + 1, owners=owners)


def split(written: str, of: Task, population: int, seed: int = 0) -> list[Rows]:
    return list(PARTITIONS.build(PARTITIONS.component(written))(of, population, seed))


def assert_exact(clients: list[Rows], rows: int, population: int) -> None:
    assert len(clients) == population
    assert np.array_equal(np.sort(np.concatenate(clients)), np.arange(rows))
    sizes = [len(rows) for rows in clients]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1


def mean_skew(clients: list[Rows], labels: npt.NDArray[np.int64]) -> float:
    """The mean over clients of the total variation distance of a client's label mix to that of the
    whole.
    """
    classes = int(labels.max()) + 1
    whole = np.bincount(labels, minlength=classes) / len(labels)
    mixes = [np.bincount(labels[rows], minlength=classes) / len(rows) for rows in clients]
    return float(np.mean([np.abs(mix - whole).sum() / 2 for mix in mixes]))


@pytest.mark.parametrize(
    "written", ["iid", "shards(each=1)", *(f"dirichlet(alpha={alpha})" for alpha in ALPHAS)]
)
@pytest.mark.parametrize("population", [1, 2, 7, 100, 1199, 1200])
def test_every_row_of_the_digits_is_used_once(written: str, population: int) -> None:
    for seed in range(5):
        assert_exact(split(written, digits(), population, seed), 1200, population)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_every_row_is_used_once_whatever_the_classes(alpha: float) -> None:
    generator = np.random.Generator(np.random.Philox(0))
    for seed in range(60):
        rows, classes = int(generator.integers(1, 200)), int(generator.integers(1, 30))
        labels = np.sort(
            generator.choice(classes, rows, p=generator.dirichlet(np.full(classes, 0.3)))
        )
        for population in {1, (rows + 1) // 2, rows}:
            assert_exact(
                split(f"dirichlet(alpha={alpha})", task(labels), population, seed), rows, population
            )


@pytest.mark.parametrize(
    "written", ["iid", "dirichlet", "dirichlet-classes", "shards", "quantity-skew"]
)
def test_it_is_a_function_of_the_seed(written: str) -> None:
    first, again, other = (split(written, digits(), 10, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_skew_falls_with_alpha_to_that_of_iid() -> None:
    labels = digits().train.targets.numpy()
    alphas = [0.001, 0.1, 1, 10, 100, 1e6]
    skews = np.array(
        [
            [mean_skew(split(f"dirichlet(alpha={a})", digits(), 20, s), labels) for s in range(20)]
            for a in alphas
        ]
    )
    means = skews.mean(1)
    errors = skews.std(1, ddof=1) / np.sqrt(20)
    for i in range(4):  # 100 and 1e6 both are nearly iid
        assert means[i] - means[i + 1] > 5 * np.hypot(errors[i], errors[i + 1]), alphas[i]
    # The limit are rows drawn at random. Only the first half of the clients: what they drew too
    # much or too little of a class is left to the last ones (as when anyone draws by fixed shares
    # from a pool that runs empty).
    first_half = [
        mean_skew(split("dirichlet(alpha=1e9)", digits(), 20, seed)[:10], labels)
        for seed in range(20)
    ]
    even = [mean_skew(split("iid", digits(), 20, seed), labels) for seed in range(20)]
    error = np.hypot(np.std(first_half, ddof=1), np.std(even, ddof=1)) / np.sqrt(20)
    assert abs(np.mean(first_half) - np.mean(even)) < 4.9 * error


def test_alpha_towards_zero_gives_a_client_one_class_while_there_are_rows_of_it() -> None:
    labels = np.repeat(np.arange(10), 100)
    for seed in range(20):
        clients = split("dirichlet(alpha=1e-6)", task(labels), 10, seed)
        assert len(np.unique(labels[clients[0]])) == 1
        # Ten clients of 100 rows and ten classes of 100: q renormalised picks one of the classes
        # left, entirely.
        assert sorted(len(np.unique(labels[rows])) for rows in clients) == [1] * 10


@pytest.mark.parametrize("alpha", [0.1, 1.0, 10.0])
def test_the_first_clients_mix_is_dirichlet(alpha: float) -> None:
    """Counts of the first client against NumPy's Dirichlet and multinomial, by Kolmogorov and
    Smirnov's test.

    A class has as many rows as a client, so that none runs out. 800 draws each; with p-values above
    1e-3 four times for three alphas a right sampler fails once in 80 choices of seed, and the seeds
    are fixed.
    """
    prior = np.array([100, 100, 200, 600])
    labels = np.repeat(np.arange(4), prior)
    got = np.array(
        [
            np.bincount(
                labels[split(f"dirichlet(alpha={alpha})", task(labels), 10, s)[0]], minlength=4
            )
            for s in range(800)
        ]
    )
    reference = np.random.Generator(np.random.Philox(1))
    expected = np.array(
        [reference.multinomial(100, reference.dirichlet(alpha * prior / 1000)) for _ in range(800)]
    )
    for statistic in (
        lambda c: c[:, 0],
        lambda c: c[:, 3],
        lambda c: c.max(1),
        lambda c: (c > 0).sum(1),
    ):
        assert ks_2samp(statistic(got), statistic(expected)).pvalue > 1e-3
    # The mean of a Dirichlet is its prior; 4.9 standard errors.
    assert (np.abs(got.mean(0) - prior / 10) < 4.9 * got.std(0) / np.sqrt(800)).all()


def test_counts_are_those_of_drawing_one_by_one() -> None:
    """Against the definition: draw a class by q over the classes left, 30 times;
    means within 4.9 standard errors.
    """
    mix, left = np.array([0.7, 0.2, 0.08, 0.02]), np.array([5, 12, 3, 40])
    fast, slow = np.random.Generator(np.random.Philox(0)), np.random.Generator(np.random.Philox(1))

    def one_by_one() -> npt.NDArray[np.int64]:
        taken = np.zeros(4, dtype=np.int64)
        for _ in range(30):
            open_mix = np.where(taken < left, mix, 0)
            taken[slow.choice(4, p=open_mix / open_mix.sum())] += 1
        return taken

    got = np.array([class_counts(30, np.log(mix), left, fast) for _ in range(2000)])
    expected = np.array([one_by_one() for _ in range(2000)])
    assert (got <= left).all()
    assert (got.sum(1) == 30).all()
    for a, b in ((got, expected), (got**2, expected**2)):
        bound = 4.9 * np.sqrt((a.var(0) + b.var(0)) / 2000) + 1e-12
        assert (np.abs(a.mean(0) - b.mean(0)) <= bound).all()


def test_natural_clients_are_the_owners() -> None:
    owners = np.array([7, 3, 7, 7, 3, 9])
    clients = split("natural", task(np.zeros(6, dtype=np.int64), owners), 3)
    assert [rows.tolist() for rows in clients] == [[1, 4], [0, 2, 3], [5]]
    with pytest.raises(
        HeadstartError, match="has 3 clients, one an owner, but 2 were asked for; ask for 3, or"
    ):
        split("natural", task(np.zeros(6, dtype=np.int64), owners), 2)
    with pytest.raises(HeadstartError, match="'digits' has no owners"):
        split("natural", digits(), 3)


@pytest.mark.parametrize(
    "written", ["iid", "dirichlet", "dirichlet-classes", "shards(each=1)", "quantity-skew"]
)
def test_more_clients_than_rows_are_refused_with_both_numbers(written: str) -> None:
    for population in (0, 1201):
        with pytest.raises(
            HeadstartError, match=f"1200 training rows cannot be dealt to {population} clients"
        ):
            split(written, digits(), population)


def test_label_skew_refuses_targets_that_are_no_class() -> None:
    text = replace(
        digits(), train=Examples(torch.zeros(9, 4), torch.zeros(9, 4, dtype=torch.int64))
    )
    for written in ("dirichlet", "dirichlet-classes", "shards"):
        with pytest.raises(
            HeadstartError, match=rf"{written}' needs one class label a row, .* of shape \[9, 4\]"
        ):
            split(written, text, 3)
    assert sum(len(rows) for rows in split("quantity-skew", text, 3)) == 9
    with pytest.raises(HeadstartError, match="alpha: expected a number >= 1e-06, got 0"):
        split("dirichlet(alpha=0)", digits(), 3)


def test_a_thousand_clients_of_50000_rows_take_less_than_a_second() -> None:
    labels = np.arange(50_000) % 10
    for alpha in (0.001, 0.1, 100):
        start = time.process_time()
        assert_exact(split(f"dirichlet(alpha={alpha})", task(labels), 1000), 50_000, 1000)
        assert time.process_time() - start < 1.0  # measured: 0.03 s


def test_ten_thousand_clients_of_62_classes_take_seconds_whatever_alpha() -> None:
    labels = np.arange(100_000) % 62
    for alpha in (1e-6, 0.1):
        start = time.process_time()
        assert_exact(split(f"dirichlet(alpha={alpha})", task(labels), 10_000), 100_000, 10_000)
        assert time.process_time() - start < 5.0  # measured: 0.2 s


def test_client_rows_are_a_sequence() -> None:
    clients = ClientRows.of_owners(np.array([2, 0, 2, 2]), 4)
    assert [rows.tolist() for rows in clients] == [[1], [], [0, 2, 3], []]
    assert (len(clients), clients.sizes.tolist(), clients[-2].tolist()) == (
        4,
        [1, 0, 3, 0],
        [0, 2, 3],
    )
    assert [rows.tolist() for rows in clients[1:3]] == [[], [0, 2, 3]]
    with pytest.raises(IndexError, match="client 4 of 4"):
        clients[4]
    assert [rows.tolist() for rows in ClientRows(np.array([0, 2, 3]))] == [[0, 1], [2]]
