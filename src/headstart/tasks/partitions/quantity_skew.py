"""Sizes that differ while labels do not."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from headstart import rng
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task
from headstart.tasks.partitions.dealing import Short, dealt_by_shares


@PARTITIONS.register("quantity-skew", source="NIID-Bench, Li et al., arXiv 2102.02079, section 4.3")
def quantity_skew(
    *,
    beta: Annotated[
        float, Field(ge=1e-6, description="towards 0 one client has all rows, large is iid")
    ] = 0.5,
    minimum: Annotated[
        int, Field(ge=1, description="rows that every client must have; 10 in NIID-Bench's code")
    ] = 1,
    short: Annotated[
        Short,
        Field(
            description="redraw all while a client has fewer, or top-up those who do with rows "
            "of others"
        ),
    ] = "redraw",
) -> Partition:
    """Rows dealt at random, in sizes q * rows with q ~ Dirichlet(beta, ..., beta) over clients.

    With a small beta and many clients some have no row in every draw: that is an error after 100
    draws, and `top-up` is the way out that says what it changes (at most `minimum` rows of each
    client that was short).
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        return dealt_by_shares(
            np.zeros(len(task.train), dtype=np.int64),
            population,
            beta=beta,
            minimum=minimum,
            short=short,
            capped=False,
            partition="quantity-skew",
            generator=rng.generator(seed, "partition", "quantity-skew"),
        )

    return partition
