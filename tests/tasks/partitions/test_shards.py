"""Shards: as in the paper where the rows divide, exact where they do not."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, Examples, Rows, Task


def split(
    written: str, labels: npt.NDArray[np.int64], population: int, seed: int = 0
) -> list[Rows]:
    rows = Examples(torch.zeros(len(labels), 1), torch.from_numpy(labels))
    task = Task("made up", rows, rows, rows, int(labels.max()) + 1)
    return list(PARTITIONS.build(PARTITIONS.component(written))(task, population, seed))


def test_as_in_the_paper() -> None:
    """60,000 digits, 200 shards of 300: 100 clients of 600 rows, most with two digits, none with
    more than two.

    300 divides the 6,000 rows of a digit, so a shard has one digit. A client's two shards are of
    the same digit with probability 19 / 199.
    """
    labels = np.random.Generator(np.random.Philox(0)).permutation(np.arange(60_000) % 10)
    same = 0
    for seed in range(20):
        clients = split("shards(each=2)", labels, 100, seed)
        assert np.array_equal(np.sort(np.concatenate(clients)), np.arange(60_000))
        assert {len(rows) for rows in clients} == {600}
        counts = np.array([np.bincount(labels[rows], minlength=10) for rows in clients])
        assert set(counts.ravel()) <= {0, 300, 600}
        same += int((counts == 600).sum())
    expected = 20 * 100 * 19 / 199
    assert abs(same - expected) < 4.9 * np.sqrt(expected)


@pytest.mark.parametrize(
    ("rows", "population", "each"), [(103, 7, 3), (101, 101, 1), (50, 5, 10), (17, 1, 4)]
)
def test_rows_that_do_not_divide(rows: int, population: int, each: int) -> None:
    labels = np.arange(rows) % 4
    for seed in range(10):
        clients = split(f"shards(each={each})", labels, population, seed)
        assert np.array_equal(np.sort(np.concatenate(clients)), np.arange(rows))
        sizes = [len(client) for client in clients]
        assert each * (rows // (population * each)) <= min(sizes)
        assert max(sizes) <= each * -(-rows // (population * each))
        # a shard is a stretch of the sorted labels, which touches at most as many classes as there
        # are bounds inside
        touched = sum(len(np.unique(labels[client])) for client in clients)
        assert touched <= population * each + 3


def test_rows_of_a_label_are_not_in_the_order_of_the_file() -> None:
    labels = np.zeros(1000, dtype=np.int64)
    first, second = split("shards(each=1)", labels, 2)
    assert len(second) == 500
    assert abs((first < 500).sum() - 250) < 4.9 * np.sqrt(500 * 0.25 * 500 / 999)  # hypergeometric


def test_fewer_rows_than_shards_are_refused() -> None:
    with pytest.raises(
        HeadstartError,
        match="99 training rows cannot be dealt to 50 clients so that each has 2 rows",
    ):
        split("shards(each=2)", np.arange(99) % 3, 50)


def test_ten_thousand_clients() -> None:
    labels = np.arange(100_000) % 62
    clients = split("shards(each=2)", labels, 10_000)
    assert np.array_equal(np.sort(np.concatenate(clients)), np.arange(100_000))
