"""A new folder that is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import HeadstartError
from headstart.files.writing import explained


def refuse_taken(into: Path) -> None:
    """Refuse the name of a new folder where something is already.

    Raises:
        HeadstartError: something is.
    """
    with explained(into, "write"):
        if into.exists() or into.is_symlink():
            raise HeadstartError(f"{into} is there already; choose another name, or remove it")


@contextmanager
def new_folder(into: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which takes the name `into` once the block has ended well
    and is removed where it has not.

    Raises:
        HeadstartError: something has that name, or the disk is full or not writable.
    """
    refuse_taken(into)
    with explained(into, "write"):
        into.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        try:
            yield partial
            refuse_taken(into)
            partial.chmod(0o777 & ~_umask())
            os.rename(partial, into)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    """The permissions that new files of this process lack."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
