"""Rows as their owners hold them."""

from collections.abc import Sequence

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, ClientRows, Partition, Rows, Task


@PARTITIONS.register("natural", source="the owners that a task's source names")
def natural() -> Partition:
    """Every owner in the source is one client, so the number of clients must be that of the owners."""

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        if task.owners is None:
            raise HeadstartError(
                f"the partition 'natural' needs to know whose each row is, but task {task.name!r} has no owners; "
                "use 'iid' or 'dirichlet'"
            )
        clients = task.owners if isinstance(task.owners, ClientRows) else ClientRows.of_owners(task.owners)
        if population != len(clients):
            raise HeadstartError(
                f"the partition 'natural' of task {task.name!r} has {len(clients)} clients, one an owner, "
                f"but {population} were asked for; ask for {len(clients)}"
            )
        return clients

    return partition
