"""Joining a Ray cluster: one that runs, or one of this machine alone, begun for the study."""

import logging
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headstart.errors import HeadstartError, reason
from headstart.study.file.settings import PerRun

ANSWERS_WITHIN = 5.0
"""Seconds in which a cluster's head must take a connection: Ray itself tries for minutes."""


@contextmanager
def joined(address: str | None, per_run: PerRun, jobs: int | None) -> Iterator[Any]:
    """Have this process in a cluster within the block, and yield the module `ray`.

    A program that has called `ray.init` is in one already, which is used and left as it is.

    Args:
        address: of the cluster's head; None: as Ray finds one, else one is begun on this machine.
        per_run: what a run needs.
        jobs: how many items are under way at the most, for a cluster that is begun.

    Raises:
        HeadstartError: Ray is not installed, or no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise HeadstartError(
            f"--on ray needs ray ({reason(error)}): pip install 'headstart[ray]'"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or None
    _refuse_unreachable(address)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        _begin(ray, address, per_run, jobs, quiet)
    except Exception as error:  # of many kinds: no cluster, another version, no permission
        ray.shutdown()
        where = f" at {address}" if address else ""
        raise HeadstartError(f"--on ray: cannot join the cluster{where}: {reason(error)}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _begin(
    ray: Any, address: str | None, per_run: PerRun, jobs: int | None, quiet: dict[str, Any]
) -> None:
    try:
        ray.init(address=address or "auto", **quiet)
    except ConnectionError:
        if address:
            raise
        cores = math.ceil(jobs * per_run.cpus) if jobs else os.cpu_count()
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",  # no other machine is to reach it
            **quiet,
        )


def _refuse_unreachable(address: str | None) -> None:
    """Refuse the address of a head that takes no connection.

    Raises:
        HeadstartError: it is none, or nobody answers there.
    """
    if address in (None, "auto", "local"):
        return
    host, _, port = str(address).rpartition(":")
    if "://" in str(address) or not host or not port.isdigit():
        raise HeadstartError(
            f"--address: expected the host and port of a cluster's head, such as 10.0.0.1:6379, "
            f"got {address!r}; run this command on a machine of the cluster"
        )
    try:
        socket.create_connection((host, int(port)), ANSWERS_WITHIN).close()
    except (OSError, OverflowError) as error:
        raise HeadstartError(
            f"--address: no cluster answers at {address} ({reason(error)}); begin one with "
            "`ray start --head --port 6379`, or leave the address out"
        ) from None
