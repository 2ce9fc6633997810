"""What a worker process of a cluster does: an item in a folder of its own, which is a copy of as
much of the study's as the item reads.

There is no shared file system. Each event is written into the copy before the next one is asked
for, as the rule of streams is, and is sent to the driver, which writes it into the study's folder.
"""

import os
import shutil
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch

from headstart.errors import HeadstartError
from headstart.parts.origin import KEPT
from headstart.study.events import Event, Measured
from headstart.study.folder.store import STARTS_FOLDER
from headstart.study.folder.writer import Writer
from headstart.study.places.cluster import parcels
from headstart.study.places.cluster.packing import Packing
from headstart.study.places.cluster.parcels import Parcel
from headstart.study.places.cluster.versions import differences, versions
from headstart.study.stream import never

Message = tuple[str, bytes | str]
"""`events` and several of them packed, in their order; or why there are no more: `unfit`, of this
node, `refused`, in a line for the user, or `fault`, with a traceback.
"""

HOME = "headstart-node-"
"""How the name of a process's folder begins; its number follows."""

TOLD_WITHIN = 1.0
"""Seconds that rows may wait for others to be sent with: a message costs about a millisecond."""


def messages(
    expected: dict[str, str], request: bytes, shared: Sequence[tuple[str, Parcel]]
) -> Iterator[Message]:
    """Yield what an item has to say.

    Args:
        expected: the versions where the study began.
        request: what is done with an item, the item, and the files that it needs, packed.
        shared: parcels with the names that they have in this cluster.
    """
    if differing := differences(expected, versions()):
        yield "unfit", f"{differing} on node {socket.gethostname()}"
        return
    try:
        home = _Home.of_this_process()
        packing = home.packing
        with tempfile.TemporaryDirectory(prefix="item-", dir=home.path) as folder:
            for batch in _batches(_events(request, shared, Path(folder))):
                yield "events", packing.packed(batch)
    except HeadstartError as error:
        yield "refused", str(error)
    except Exception:  # whatever computing somebody's part may raise
        yield "fault", f"on node {socket.gethostname()}:\n{traceback.format_exc()}"


class _Home:
    """What this process keeps from one item to the next, in a folder of its own."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self._folder = tempfile.TemporaryDirectory(prefix=f"{HOME}{os.getpid()}-")
        self.path = Path(self._folder.name)
        self.packing = Packing(self.path)
        self._taken: set[str] = set()
        torch.set_num_threads(1)

    @staticmethod
    @lru_cache(maxsize=1)
    def of_this_process() -> "_Home":
        """Return that of this process."""
        return _Home()

    def take(self, shared: Sequence[tuple[str, Parcel]]) -> None:
        """Have what is in parcels, each of which is looked at once."""
        for name, parcel in shared:
            if name in self._taken:
                continue
            match parcel["kind"]:
                case "task":
                    parcels.take_task(parcel, self.packing)
                case "start":
                    parcels.take_start(parcel, self.packing)
                case "modules":
                    for file, content in parcel["contents"].items():
                        _write(self.path / KEPT / file, content)
                    sys.path.append(str(self.path / KEPT))
                case "file":
                    _write(self.path / parcel["name"], memoryview(parcel["content"]))
            self._taken.add(name)


def _sweep(temporary: Path) -> None:
    """Remove the folders of processes that are gone: Ray kills its workers, which cannot do so."""
    for folder in temporary.glob(f"{HOME}*"):
        process = folder.name.removeprefix(HOME).partition("-")[0]
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError):
            continue


def _events(request: bytes, shared: Sequence[tuple[str, Parcel]], folder: Path) -> Iterator[Event]:
    home = _Home.of_this_process()
    home.take(shared)
    stream_in, item, contents = home.packing.unpacked(request)
    for name, content in contents.items():
        _write(folder / name, content)
    for path in (home.path / STARTS_FOLDER).glob("*"):
        (folder / STARTS_FOLDER).mkdir(exist_ok=True)
        os.link(path, folder / STARTS_FOLDER / path.name)
    writer = Writer(folder)
    for event in stream_in(folder, item, never):
        writer.write(event)
        yield event


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events together with the rows that were measured shortly before them."""
    batch: list[Event] = []
    began = time.perf_counter()
    for event in events:
        batch.append(event)
        if not isinstance(event, Measured) or time.perf_counter() - began >= TOLD_WITHIN:
            yield batch
            batch, began = [], time.perf_counter()
    if batch:
        yield batch


def _write(path: Path, content: bytes | memoryview) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
