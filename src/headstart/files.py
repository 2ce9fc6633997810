"""Files that are whole or not there and know their own sha256, where data lies, and errors in one
line.

What is read back later is sealed: somewhere in it stands "headstart.sha256" and the sha256 of all
its bytes, taken with zeros in that place. A JSON record has it as a key; Parquet and safetensors
files have it in their metadata. So a file of which one bit has changed is never read for what it
was.
"""

import hashlib
import json
import mmap
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError, reason
from headstart.parts import caches, origin

PARTIAL = ".partial"
"""How the names of files end that are being written. One that stays belongs to a process that was
killed.
"""

DELETE_IT = "delete it and run again"
"""What to do about a damaged file that is made anew by itself."""


DATA = "HEADSTART_DATA"
"""The variable of the environment that names the folder of the data."""


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


SEAL = "headstart.sha256"
"""The name under which a file has its own sha256."""

UNSEALED = "0" * 64
"""What stands there until the sha256 is known."""

_SEALS = re.compile(re.escape(SEAL.encode()) + rb'(?:": ?"|\x18\x40)([0-9a-f]{64})')
"""Seals in JSON and the header of a safetensors file, and in the footer of a Parquet file."""


def sealed(content: bytes) -> bytes:
    """The content, in which `UNSEALED` stands under the name `SEAL`, with its sha256 in that
    place.
    """
    place = _place_of_seal(content)
    if place is None:
        raise ValueError("expected a place for a seal in the content, got none")
    begin, end = place
    return content[:begin] + _sha256_apart_from(content, begin, end).encode() + content[end:]


def seal_of(content: bytes | mmap.mmap) -> str:
    """The sha256 that stands in a sealed content.

    Raises:
        ValueError: there is none, or it is that of other bytes.
    """
    place = _place_of_seal(content)
    if place is None:
        raise ValueError("it has no sha256 of its own, as files of an older version have none")
    begin, end = place
    found = content[begin:end].decode()
    if found != _sha256_apart_from(content, begin, end):
        raise ValueError("its sha256 is another than it says")
    return found


def _place_of_seal(content: bytes | mmap.mmap) -> tuple[int, int] | None:
    """Where the seal begins and ends: what users wrote may hold text that looks like another.

    A record ends with it and a Parquet file has it in its footer; a safetensors file, whose length
    comes first, has it in its header, where quotes of users' text are escaped.
    """
    spans = [found.span(1) for found in _SEALS.finditer(content)]
    if not spans:
        return None
    is_last = content[:1] == b"{" or content[:4] == b"PAR1"
    return spans[-1] if is_last else spans[0]


def _sha256_apart_from(content: bytes | mmap.mmap, begin: int, end: int) -> str:
    """The sha256 of the content with zeros from `begin` to `end`."""
    with memoryview(content) as view:
        digest = hashlib.sha256(view[:begin])
        digest.update(UNSEALED.encode())
        digest.update(view[end:])
    return digest.hexdigest()


def verify(path: Path) -> str:
    """The seal of a file, which is read once and not held in memory.

    Raises:
        ValueError: it has none, or has changed since it was written.
        OSError: it cannot be read.
    """
    with path.open("rb") as opened:
        if not os.fstat(opened.fileno()).st_size:
            raise ValueError("it is empty")
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return seal_of(content)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write what JSON can hold, sealed."""
    text = json.dumps({**record, SEAL: UNSEALED}, indent=1)
    write(path, sealed(text.encode()))


def read_record(path: Path, remedy: str = DELETE_IT) -> dict[str, Any]:
    """Read what `write_record` wrote. `remedy` says what to do about one that is damaged.

    Raises:
        HeadstartError: it is missing, has changed since it was written, or is of another form.
    """
    return read_record_and_seal(path, remedy)[0]


def read_record_and_seal(path: Path, remedy: str) -> tuple[dict[str, Any], str]:
    """As `read_record`, with the seal."""
    with damage_explained(path, remedy):
        content = path.read_bytes()
        seal_of(content)
        record: dict[str, Any] = json.loads(content)
        return record, str(record.pop(SEAL))


def delete_folder_of(path: Path) -> str:
    """What to do about a damaged file that is made anew only with the others of its folder."""
    return f"delete {path.parent} and run again"


@contextmanager
def damage_explained(path: Path, remedy: str) -> Iterator[None]:
    """Turn what reading a damaged file may raise into one line that names it and what to do."""
    try:
        yield
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise HeadstartError(f"{path} is damaged ({_damage(error)}); {remedy}") from None


def _damage(error: Exception) -> str | None:
    if isinstance(error, OSError):
        return error.strerror
    return f"it lacks {error}" if isinstance(error, KeyError) else reason(error)


def digest(*paths: Path) -> str:
    """The sha256 of a file's contents; of several, that of theirs in that order. A folder is all
    files within, sorted.

    Raises:
        HeadstartError: one cannot be read.
    """
    files: list[Path] = []
    for path in paths:
        files += sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path]
    digests = []
    for path in files:
        with explained(path, "read"), path.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()
    )


def joint_digest(*digests: str) -> str:
    """Return one sha256 of several, without those that are empty; of one, that one, and of none,
    nothing.
    """
    found = [one for one in digests if one]
    if len(found) > 1:
        return hashlib.sha256(" ".join(found).encode()).hexdigest()
    return "".join(found)


def located(written: str, key: str = "") -> Path:
    """The path as written, with `$HEADSTART_DATA` at its beginning replaced; no other variable is.

    key: where the study names it, such as `task.path`; then there must be something at that path.

    So one study file serves machines that keep their data in different places. What is in no such
    place is looked up beside the study file, then in the working folder.

    Raises:
        HeadstartError: the variable is asked for and not set; the path is in neither folder.
    """
    try:
        path = _located(written)
        if key:
            path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise HeadstartError(f"{key}: {path}: there is no such file or folder") from None
    except (OSError, ValueError):
        return path  # who opens it says what is wrong with it
    except HeadstartError as error:
        raise HeadstartError(f"{key}: {error}" if key else str(error)) from None
    return path


def _located(written: str) -> Path:
    first, _, rest = written.partition("/")
    if first not in (f"${DATA}", f"${{{DATA}}}"):
        path = origin.found(written)
        caches.reads(path)
        return path
    folder = os.environ.get(DATA)
    if not folder:
        raise HeadstartError(
            f"{written}: the environment variable {DATA} is not set; set it to the folder of the "
            "data, or write the whole path"
        )
    path = Path(folder) / rest
    caches.reads(path)
    return path
