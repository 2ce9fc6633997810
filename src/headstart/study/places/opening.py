"""The places that a study can be carried out in, by what the user says."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.study.places.base import Place
from headstart.study.places.processes import forks_here
from headstart.study.places.this_machine import ThisMachine
from headstart.study.spec import Study


@dataclass(frozen=True)
class On:
    """Where runs are carried out: `here`, on this machine, or on the cluster that Ray finds.

    `address`: of the cluster's head, such as 10.0.0.1:6379; None: as Ray finds one, else one of
    this machine alone.
    """

    name: Literal["here", "ray"] = "here"
    address: str | None = None

    @classmethod
    def named(cls, name: str, address: str | None) -> "On":
        """Where a user says that runs are carried out.

        Raises:
            HeadstartError: there is no such place, or it has no address.
        """
        if name == "ray":
            return cls("ray", address)
        if name != "here":
            raise HeadstartError(f"on: expected here or ray, got {shown(name)}")
        if address is not None:
            raise HeadstartError(
                f"address: expected none where runs are carried out here, got {shown(address)}; "
                "say on ray as well"
            )
        return THIS_MACHINE


THIS_MACHINE = On()


@contextmanager
def opened(on: On, study: Study, jobs: int | None, tell: Callable[[str], None]) -> Iterator[Place]:
    """Have a place ready for a study within the block.

    Args:
        on: which one.
        study: the study.
        jobs: how many of its items are under way at the most; None: as the place has room for.
        tell: is given lines about what a user would not expect.

    Raises:
        HeadstartError: it cannot be had, or what the study is made of cannot be brought there.
    """
    if on.name == "ray":
        from headstart.study.places.cluster.driver import cluster

        with cluster(on.address, study, jobs, tell) as place:
            yield place
        return
    machine = ThisMachine(jobs or os.cpu_count() or 1)
    if machine.jobs > 1 and study.given and not forks_here(study.file.device):
        raise HeadstartError(
            "jobs: what a Python program gave (functions, tensors) reaches processes that are "
            "forked, as on Linux with device cpu, and no others; use jobs=1, or name functions in "
            "the study as 'module:function'"
        )
    yield machine
