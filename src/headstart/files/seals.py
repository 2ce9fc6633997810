"""Files that know their own sha256.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError, reason
from headstart.files.writing import write

DELETE_IT = "delete it and run again"
"""What to do about a damaged file that is made anew by itself."""

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
    """Turn what reading a damaged file may raise into one line that names it and what to do. What
    is read is a file or a folder: a pipe in its place may never end.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("it is a pipe, a socket or a device")
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
