"""Files that are whole or not there, and errors of the file system in one line."""

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import HeadstartError

PARTIAL = ".partial"
"""How the names of files end that are being written. One that stays belongs to a process that was
killed.
"""


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn an error of the file system (full disk, no permission, ...) into one line that names the
    path.

    What is read is a file or a folder: a pipe or a device may never end, and a name with a zero
    byte is none.
    """
    _refuse_no_name(path)
    try:
        if doing == "read" and path.exists() and not (path.is_file() or path.is_dir()):
            raise HeadstartError(
                f"cannot read {path}: expected a file or a folder, got a pipe, a socket or a device"
            )
        yield
    except FileExistsError as error:
        raise HeadstartError(
            f"cannot {doing} {path}: a file stands where a folder should be"
        ) from error
    except OSError as error:
        why = error.strerror or " ".join(str(error).split())  # Arrow's have several lines
        raise HeadstartError(f"cannot {doing} {path}: {why}") from error


def _refuse_no_name(path: Path) -> None:
    """Refuse a path that no file can have, before the file system raises what is no `OSError`."""
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise HeadstartError(
            f"expected the path of a file, got {str(path)!r}, which no file can have"
        )


def write(path: Path, content: bytes | str, lasting: bool = True) -> None:
    """Write a file atomically: under a temporary name beside it, then renamed. Makes the folder.

    `lasting`: wait until it is on the disk, so that it is whole also after a power cut. What can be
    made again from other files, such as a report, need not wait.

    Raises:
        HeadstartError: the disk is full, the folder is not writable.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    with explained(path, "write"):
        _refuse_other_than_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as opened:
                opened.write(content.encode() if isinstance(content, str) else content)
                if lasting:
                    opened.flush()
                    os.fsync(opened.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        if lasting:
            _sync_folder(path.parent)


_HALF_WRITTEN = re.compile(rf"\.(?P<name>.+)\.(?P<process>\d+){re.escape(PARTIAL)}")


def whose_half(path: Path) -> str | None:
    """The name of the file that a process was writing under this name; None for any other file."""
    found = _HALF_WRITTEN.fullmatch(path.name)
    return found["name"] if found else None


def sweep(folder: Path, names: Collection[str]) -> None:
    """Remove what processes that are gone left half-written of files of these names."""
    for path in folder.glob(f".*{PARTIAL}"):
        found = _HALF_WRITTEN.fullmatch(path.name)
        if found and found["name"] in names and not _is_alive(int(found["process"])):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    """Whether there is such a process; where that cannot be asked without harm, there may be."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        pass
    return True


def _refuse_other_than_file(path: Path) -> None:
    """What is renamed takes the place of whatever is there: `/dev/null` would be a file from then
    on.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise HeadstartError(f"cannot write {path}: expected a file or nothing there, got {kind}")


def _sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk. Some file systems cannot, and then need
    not.
    """
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError:
        pass
    finally:
        os.close(opened)
