"""Label skew by class: the rows of each class are shared out over the clients, whose sizes then
differ.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from headstart import rng
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task
from headstart.tasks.partitions.dealing import Short, class_labels, dealt_by_shares


@PARTITIONS.register(
    "dirichlet-classes",
    source="NIID-Bench, Li et al., arXiv 2102.02079, section 4.1 (distribution-based label "
    "imbalance)",
    presets={"niid-bench": {"beta": 0.5, "minimum": 10, "capped": True}},
)
def dirichlet_classes(
    *,
    beta: Annotated[
        float, Field(ge=1e-6, description="towards 0 each class goes to one client, large is iid")
    ] = 0.5,
    minimum: Annotated[int, Field(ge=1, description="rows that every client must have")] = 1,
    short: Annotated[
        Short,
        Field(
            description="redraw all while a client has fewer, or top-up those who do with rows "
            "of others"
        ),
    ] = "redraw",
    capped: Annotated[
        bool, Field(description="a client with its even share gets nothing of the later classes")
    ] = False,
) -> Partition:
    """Label skew over classes: client k gets the share p_ck of class c, p_c ~ Dirichlet(beta, ...,
    beta) over clients.

    Not the partition `dirichlet`, where each client draws its mix of classes and all have as many
    rows. Here sizes differ as well.

    The paper says nothing of clients without rows; its code draws everything again until all have
    ten, and gives nothing more to a client that has rows / clients already, which evens out sizes:
    `dirichlet-classes@niid-bench`. With a small beta and many clients such a draw never comes: that
    is an error here, after 100 draws, and `top-up` is the way out that says what it changes (at
    most `minimum` rows of each client that was short, chosen at random).
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        return dealt_by_shares(
            class_labels(task, "dirichlet-classes"),
            population,
            beta=beta,
            minimum=minimum,
            short=short,
            capped=capped,
            partition="dirichlet-classes",
            generator=rng.generator(seed, "partition", "dirichlet-classes"),
        )

    return partition
