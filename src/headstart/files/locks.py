"""One process at a time uses a folder; others wait, or are told."""

import errno
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from headstart.errors import HeadstartError
from headstart.files.writing import explained

try:
    import fcntl
except ImportError:  # not Unix
    fcntl = None  # type: ignore[assignment]

PAUSE = 0.05
"""Seconds between two tries."""


@contextmanager
def locked(folder: Path, patience: float = math.inf) -> Iterator[None]:
    """Hold a folder for this process and those that it forks; the hold ends with them, however they
    end. Nothing is held where the file system or this machine cannot lock a folder.

    Raises:
        HeadstartError: after `patience` seconds another process still holds it.
    """
    if fcntl is None:
        yield
        return
    with explained(folder, "read"):
        opened = os.open(folder, os.O_RDONLY)
    try:
        _lock(opened, folder, patience)
        yield
    finally:
        with suppress(OSError):  # unlocked, not only closed: what was forked has it open, too
            fcntl.flock(opened, fcntl.LOCK_UN)
        os.close(opened)


@contextmanager
def locked_with_a_file(folder: Path, patience: float) -> Iterator[None]:
    """As `locked`, by two locks: a file `.lock` in the folder, and the folder itself, which cannot
    be deleted while there are files in it. Some file systems of a network know only the first.
    """
    lock = filelock.FileLock(folder / ".lock")
    with explained(folder, "write"):
        try:
            lock.acquire(timeout=patience)
        except filelock.Timeout:
            raise _in_use(folder) from None
    try:
        with locked(folder, patience):
            yield
    finally:
        lock.release()


def _lock(opened: int, folder: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return
            if time.monotonic() >= until:
                raise _in_use(folder) from None
        time.sleep(PAUSE)


def _in_use(folder: Path) -> HeadstartError:
    return HeadstartError(f"{folder} is in use by another headstart process; wait for it to end")
