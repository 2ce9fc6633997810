"""What every partition keeps that takes any number of clients."""

import numpy as np
import torch

from headstart.tasks.base import Examples, Partition, Rows, Task

CLASSES, ROWS = 4, 120


def task_of_labels() -> Task:
    """A task of 120 rows in four classes, of which the rows of a class lie together."""
    labels = torch.from_numpy(np.repeat(np.arange(CLASSES), ROWS // CLASSES))
    rows = Examples(torch.zeros(ROWS, 1), labels)
    return Task("rows in four classes", rows, rows, rows, CLASSES)


def dealt(partition: Partition, population: int, seed: int) -> list[Rows]:
    """The rows of each client."""
    return list(partition(task_of_labels(), population, seed))


def uses_every_row_once(partition: Partition) -> None:
    """Every row goes to one client, and every client has one at least."""
    for population in (1, 2, 7, 20):
        clients = dealt(partition, population, seed=0)
        assert len(clients) == population
        assert min(map(len, clients)) >= 1
        np.testing.assert_array_equal(np.sort(np.concatenate(clients)), np.arange(ROWS))


def is_a_function_of_the_seed(partition: Partition) -> None:
    """The same seed deals the same rows, another seed others."""
    first, again, other = (dealt(partition, 10, seed) for seed in (3, 3, 4))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    pairs = zip(first, other, strict=True)
    assert not all(np.array_equal(one, another) for one, another in pairs)


CONTRACT = (uses_every_row_once, is_a_function_of_the_seed)
