"""Files that are whole or not there, where data lies, and errors of the file system in one line."""

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart import lookup
from headstart.errors import HeadstartError

PARTIAL = ".partial"
"""How the names of files end that are being written. One that stays belongs to a process that was killed."""


DATA = "HEADSTART_DATA"
"""The variable of the environment that names the folder of the data."""


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


def digest(*paths: Path) -> str:
    """The sha256 of a file's contents; of several, that of theirs in that order. A folder is all files within, sorted.

    Raises:
        HeadstartError: one cannot be read.
    """
    digests = []
    found = [sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path] for path in paths]
    for path in itertools.chain(*found):
        with explained(path, "read"), path.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def located(written: str) -> Path:
    """The path as written, with `$HEADSTART_DATA` at its beginning replaced; no other variable is.

    So one study file serves machines that keep their data in different places. What is in no such place is looked up
    beside the study file, then in the working folder.

    Raises:
        HeadstartError: the variable is asked for and not set; the path is in neither folder.
    """
    first, _, rest = written.partition("/")
    if first not in (f"${DATA}", f"${{{DATA}}}"):
        return lookup.found(written)
    folder = os.environ.get(DATA)
    if not folder:
        raise HeadstartError(
            f"{written}: the environment variable {DATA} is not set; set it to the folder of the data, "
            "or write the whole path"
        )
    return Path(folder) / rest
