"""The driver of a study on a Ray cluster: the process that holds the folder, sends items to nodes
and is the only writer.

An item is a generator task. Ray would repeat a lost one from its beginning and leave out as many
messages as it had sent; so it repeats none, and the driver sends the item again with the checkpoint
that it has written since. What is lost are the seconds after that.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from headstart.errors import HeadstartError, reason
from headstart.parts.origin import KEPT
from headstart.study.events import Event
from headstart.study.file.run_spec import RunSpec
from headstart.study.file.settings import PerRun
from headstart.study.places.base import StreamIn, Write
from headstart.study.places.cluster import needs, parcels
from headstart.study.places.cluster.joining import joined
from headstart.study.places.cluster.packing import Packing
from headstart.study.places.cluster.parcels import Parcel
from headstart.study.places.cluster.versions import versions
from headstart.study.spec import Study

T = TypeVar("T")

LOSSES = 5
"""So often an item may be lost without having got on: then it is its own doing."""

AHEAD = 8
"""Messages of an item that may wait for the driver; then it waits itself."""

LOOKED_AFTER = 10.0
"""Seconds after which the driver looks again how much room the cluster has."""


@contextmanager
def cluster(
    address: str | None, study: Study, jobs: int | None, tell: Callable[[str], None]
) -> Iterator["Cluster"]:
    """Have this process in a cluster within the block.

    Args:
        address: of the cluster's head; None: as Ray finds one.
        study: the study.
        jobs: how many items are under way at the most; None: as there is room for.
        tell: is given lines about what a user would not expect.

    Raises:
        HeadstartError: no cluster answers; or a Python program gave parts of the study.
    """
    if study.given:
        raise HeadstartError(
            "on ray: what a Python program gave (functions, tensors) reaches no other machine; "
            "name functions in the study as 'module:function'"
        )
    per_run = study.file.per_run or PerRun()
    with joined(address, per_run, jobs) as ray:
        found = Cluster(ray, per_run, jobs, tell)
        found.refuse_too_little()
        yield found


@dataclass
class _Sent:
    """An item that is under way, what it is sent again with, and how often it was lost."""

    item: Any
    shared: list[tuple[str, Any]]
    losses: int = 0


@dataclass
class Cluster:
    """A cluster that this process is in. `most`: the items that are under way at the most, where
    the user says so.
    """

    ray: Any
    per_run: PerRun
    most: int | None
    tell: Callable[[str], None]
    _task: Any = None
    _packing: Packing = field(default_factory=Packing)
    _parcels: dict[Hashable, tuple[str, Any] | None] = field(default_factory=dict)
    _room: tuple[float, int] = (float("-inf"), 0)

    @property
    def jobs(self) -> int:
        """How many items are computed at once, as the cluster is now."""
        return self.most or max(1, self._has_room_for())

    def refuse_too_little(self) -> None:
        """Refuse what no node could ever compute.

        Raises:
            HeadstartError: no node has what a run needs.
        """
        if not self._has_room_for():
            raise HeadstartError(
                f"per_run: expected a node with {self.per_run}, got nodes with "
                f"{'; '.join(map(_shown, self._nodes())) or 'nothing'}"
            )

    def events(
        self,
        items: Sequence[T],
        stream_in: StreamIn[T],
        out: Path,
        write: Write,
        runs: Sequence[RunSpec],
    ) -> Generator[Event, None, None]:
        """Yield the events of items (see `Place`), on whatever nodes they are computed.

        Args:
            items: groups of runs, or searches.
            stream_in: what is done with each of them.
            out: the study's folder.
            write: writes an event there.
            runs: those whose tasks are put into the object store.
        """
        common = self._common(out, runs)
        waiting = deque(_Sent(item, [*common, *self._of_starts(item)]) for item in items)
        under_way: dict[Any, _Sent] = {}
        try:
            while waiting or under_way:
                while waiting and len(under_way) < (self.most or 2 * self.jobs):
                    sent = waiting.popleft()
                    under_way[self._begun(sent, stream_in, out)] = sent
                ready, _ = self.ray.wait(list(under_way), num_returns=1)
                for stream in ready:
                    sent = under_way[stream]
                    try:
                        message = self._next(stream)
                    except StopIteration:
                        del under_way[stream]
                    except self.ray.exceptions.RayError as error:
                        del under_way[stream]
                        self._refuse_lost_for_good(sent, error)
                        waiting.appendleft(sent)
                    else:
                        for event in self._packing.unpacked(message):
                            sent.losses = 0
                            write(event)
                            yield event
        finally:
            for stream in under_way:
                with suppress(Exception):  # of a cluster that is gone
                    self.ray.cancel(stream, force=True)

    def _next(self, stream: Any) -> bytes:
        """The next message of an item.

        Raises:
            StopIteration: there is none.
            HeadstartError: the item or its node said why it cannot go on.
        """
        kind, said = self.ray.get(next(stream))
        if kind == "unfit":
            raise HeadstartError(
                f"on ray: a node cannot compute the study: {said}; install on all nodes what is "
                "installed here"
            )
        if kind == "refused":
            raise HeadstartError(str(said))
        if kind == "fault":
            raise RuntimeError(str(said))
        content: bytes = said
        return content

    def _refuse_lost_for_good(self, sent: _Sent, error: Exception) -> None:
        """Note that an item was lost.

        Raises:
            HeadstartError: it was again and again, and is not sent once more.
        """
        if isinstance(error, self.ray.exceptions.RayTaskError):
            raise HeadstartError(f"on ray: a node cannot compute the study: {reason(error)}")
        sent.losses += 1
        if sent.losses < LOSSES:
            self.tell(
                f"on ray: a worker was lost ({type(error).__name__}); its runs go on elsewhere "
                "from their last checkpoint"
            )
            return
        if isinstance(error, self.ray.exceptions.OutOfMemoryError):
            raise HeadstartError(
                f"on ray: a node has not enough memory for its runs ({LOSSES} times in a row); let "
                "fewer share a node (per_run: {cpus: 2}), and run again to go on"
            )
        raise HeadstartError(
            f"on ray: a worker was lost {LOSSES} times in a row ({type(error).__name__}: "
            f"{reason(error)}); run again to go on"
        )

    def _begun(self, sent: _Sent, stream_in: StreamIn[Any], out: Path) -> Any:
        """An item on its way to a node, with what the folder has of it."""
        request = self._packing.packed((stream_in, sent.item, needs.contents(sent.item, out)))
        self._task = self._task or _streamed(self.ray)
        task = self._task.options(
            num_cpus=self.per_run.cpus,
            num_gpus=self.per_run.gpus,
            max_retries=0,
            num_returns="streaming",
            _generator_backpressure_num_objects=AHEAD,
        )
        names = [name for name, _ in sent.shared]
        return task.remote(versions(), request, names, *(ref for _, ref in sent.shared))

    def _common(self, out: Path, runs: Sequence[RunSpec]) -> list[tuple[str, Any]]:
        """What all items get: tasks, the study's own modules, weights that were made once."""
        shared = []
        for task in dict.fromkeys(run.task for run in runs):
            shared.append(self._put(task, partial(parcels.of_task, task, self._packing)))
        shared.append(self._put(KEPT, partial(parcels.of_modules, out / KEPT)))
        for path in needs.weights(out):
            name = path.relative_to(out).as_posix()
            shared.append(self._put(name, partial(parcels.of_file, path, name)))
        return [one for one in shared if one is not None]

    def _of_starts(self, item: Any) -> list[tuple[str, Any]]:
        """The weights that the runs of an item begin from, where these are in files of the
        user's.
        """
        shared = []
        for run in needs.runs_of(item):
            name = run.start, run.seed
            shared.append(self._put(name, partial(parcels.of_start, run, self._packing)))
        return [one for one in dict.fromkeys(shared) if one is not None]

    def _put(self, key: Hashable, make: Callable[[], Parcel | None]) -> tuple[str, Any] | None:
        """A parcel's name and where it is in the object store, put there the first time."""
        if key not in self._parcels:
            parcel = make()
            self._parcels[key] = None
            if parcel is not None:
                self._tell_of_size(parcels.size_of(parcel))
                name = str(len(self._parcels))
                self._parcels[key] = name, self.ray.put(parcel)
        return self._parcels[key]

    def _tell_of_size(self, size: int) -> None:
        """Tell where the object store of a node is too small for a parcel, which is then read from
        its disk.
        """
        stores = [node.get("object_store_memory", 0.0) for node in self._nodes()]
        if stores and size > min(stores):
            self.tell(
                f"on ray: the object store of a node has {min(stores) / 2**20:.0f} MiB, and data "
                f"of {size / 2**20:.0f} MiB are to be shared, which makes it slow; begin Ray with "
                "a larger --object-store-memory"
            )

    def _nodes(self) -> list[dict[str, float]]:
        """What each node has."""
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]

    def _has_room_for(self) -> int:
        """How many items the nodes can compute at once."""
        looked, room = self._room
        if time.monotonic() - looked > LOOKED_AFTER:
            room = sum(map(self.per_run.fits, self._nodes()))
            self._room = time.monotonic(), room
        return room


def _shown(node: dict[str, float]) -> str:
    return f"{node.get('CPU', 0):g} cpus and {node.get('GPU', 0):g} gpus"


def _streamed(ray: Any) -> Any:
    """The task that nodes carry out. It is sent by value: a node without Headstart can say so."""

    def streamed(expected, request, names, *shared):  # type: ignore[no-untyped-def]
        try:
            from headstart.study.places.cluster import node
        except ImportError as error:
            import socket

            yield "unfit", f"{error} on node {socket.gethostname()}"
            return
        yield from node.messages(expected, request, list(zip(names, shared, strict=True)))

    return ray.remote(streamed)
