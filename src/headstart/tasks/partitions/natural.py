"""Rows as their owners hold them."""

from collections.abc import Sequence

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task


@PARTITIONS.register("natural", source="the owners that a task's source names")
def natural() -> Partition:
    """Every owner in the source is one client, so the number of clients must be that of the
    owners.
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        clients = task.natural_clients
        if population != len(clients):
            raise HeadstartError(
                f"the partition 'natural' of task {task.name!r} has {len(clients)} clients, one "
                f"an owner, but {population} were asked for; ask for {len(clients)}, or write "
                "natural as population"
            )
        return clients

    return partition
