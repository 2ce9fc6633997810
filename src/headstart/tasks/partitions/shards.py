"""Label skew by shards: rows sorted by label and cut in pieces, a few for each client."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from headstart import rng
from headstart.tasks.base import PARTITIONS, ClientRows, Partition, Rows, Task
from headstart.tasks.partitions.dealing import class_labels, refuse_too_many


@PARTITIONS.register("shards", source="McMahan et al., arXiv 1602.05629, section 3")
def shards(
    *,
    each: Annotated[
        int, Field(ge=1, description="shards a client; at most about as many classes")
    ] = 2,
) -> Partition:
    """Rows sorted by label and cut in (clients x each) shards of equal size, of which each client
    gets some at random.

    Where the rows do not divide, sizes of shards differ by one. The paper has 200 shards of 300 for
    100 clients. Rows of one label are in random order before they are cut, so that a shard does not
    depend on the order of the file.
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        refuse_too_many(population, len(task.train), each)
        labels_N = class_labels(task, "shards")
        generator = rng.generator(seed, "partition", "shards")
        shuffled_N = generator.permutation(len(labels_N))
        sorted_N = shuffled_N[np.argsort(labels_N[shuffled_N], kind="stable")]
        owner_of_shard = generator.permutation(np.repeat(np.arange(population), each))
        rows, count = len(labels_N), len(owner_of_shard)
        sizes = rows // count + (np.arange(count) < rows % count)
        owners_N = np.empty(rows, dtype=np.int64)
        owners_N[sorted_N] = np.repeat(owner_of_shard, sizes)
        return ClientRows.of_owners(owners_N, population)

    return partition
