"""One process at a time writes to a folder, also where its lock file is deleted. Knows nothing of
torch.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from headstart import files
from headstart.errors import HeadstartError

try:
    import fcntl
except ImportError:  # not Unix
    fcntl = None  # type: ignore[assignment]

PAUSE = 0.05
"""Seconds between two tries."""


@contextmanager
def held(folder: Path, patience: float) -> Iterator[None]:
    """Hold a folder for this process and those that it forks; the hold ends with them, however they
    end.

    Two locks are taken: a file in the folder, and the folder itself, which cannot be deleted while
    there are runs in it. Some file systems of a network know only the first.

    Raises:
        HeadstartError: after `patience` seconds another process still holds one.
    """
    lock = filelock.FileLock(folder / ".lock")
    with files.explained(folder, "write"):
        try:
            lock.acquire(timeout=patience)
        except filelock.Timeout:
            raise _in_use(folder) from None
    try:
        opened = _hold_folder(folder, patience)
        try:
            yield
        finally:
            _let_go(opened)
    finally:
        lock.release()


def _hold_folder(folder: Path, patience: float) -> int | None:
    """The open folder, locked; None where its file system or this machine cannot lock one."""
    if fcntl is None:
        return None
    with files.explained(folder, "read"):
        opened = os.open(folder, os.O_RDONLY)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return opened
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return opened
            if time.monotonic() >= until:
                os.close(opened)
                raise _in_use(folder) from None
        time.sleep(PAUSE)


def _let_go(opened: int | None) -> None:
    """Unlocked, not only closed: processes that were forked have it open, too."""
    if opened is not None:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_UN)
        os.close(opened)


def _in_use(folder: Path) -> HeadstartError:
    return HeadstartError(f"{folder} is in use by another headstart process; wait for it to end")
