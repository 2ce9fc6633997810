"""Files that are whole or not there, and errors of the file system in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import HeadstartError

PARTIAL = ".partial"
"""How the names of files end that are being written. One that stays belongs to a process that was killed."""


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn an error of the file system (full disk, no permission, ...) into one line that names the path."""
    try:
        yield
    except FileExistsError as error:
        raise HeadstartError(f"cannot {doing} {path}: a file stands where a folder should be") from error
    except OSError as error:
        raise HeadstartError(f"cannot {doing} {path}: {error.strerror or error}") from error


def write(path: Path, content: bytes | str) -> None:
    """Write a file atomically: under a temporary name beside it, then renamed. Makes the folder.

    Raises:
        HeadstartError: the disk is full, the folder is not writable.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    with explained(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
