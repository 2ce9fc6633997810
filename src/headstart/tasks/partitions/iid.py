"""Rows dealt evenly and at random."""

from collections.abc import Sequence

import numpy as np

from headstart import rng
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task
from headstart.tasks.partitions.dealing import refuse_too_many


@PARTITIONS.register("iid", source="McMahan et al., arXiv 1602.05629, section 3")
def iid() -> Partition:
    """Rows dealt at random; the sizes of clients differ by at most one."""

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        refuse_too_many(population, len(task.train))
        order_N = rng.generator(seed, "partition", "iid").permutation(len(task.train))
        return [np.sort(rows) for rows in np.array_split(order_N, population)]

    return partition
