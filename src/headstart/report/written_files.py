"""Files that we wrote, and no others: nothing of others is overwritten or deleted, and nothing
through a link.

A folder of ours has a list of the files that were written there with their sha256, in the form of
`sha256sum`, so that anybody can check them. A file is ours where it is on the list and has not been
changed since. A single file is ours where it says so at its beginning.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from headstart import files
from headstart.errors import HeadstartError
from headstart.files.locks import locked
from headstart.tables import RESULTS

LINE = re.compile(r"([0-9a-f]{64})  ((?:tables|figures|results)/|modules/(?:\w+/)*)?([\w][\w.-]*)")
PUBLISHED = "published.sha256"
"""The list of a folder that a repository keeps."""

HEAD = 4096
"""Bytes of a file in which it says that it is ours."""

Sums = dict[str, set[str]]
"""The sha256 of each file by its name in the folder: two while a folder is being written."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have no other process read or write a report in a study's folder meanwhile; wait until one
    that does has ended.

    What is locked is the folder of its tables; without one there is nothing to report.
    """
    tables = folder / RESULTS
    with locked(tables) if tables.is_dir() else nullcontext():
        yield


def replace(folder: Path, written: Mapping[str, bytes], sums: str) -> None:
    """Write files into a folder, and remove what an earlier time wrote there and this one does not.

    `written`: contents by name, `name`, or in `figures/`, `tables/`, `results/` or `modules/`;
    `sums`: the name of the list.

    Raises:
        HeadstartError: a file there is not ours, or a link stands in the way; nothing was written
            then.
    """
    before = _read(folder / sums)
    now = {name: {_digest(content)} for name, content in written.items()}
    for name in now:
        _refuse_foreign(folder, name, before.get(name, set()) | now[name], sums)
    _write(
        folder / sums,
        {name: before.get(name, set()) | now.get(name, set()) for name in {**before, **now}},
    )
    for name, content in written.items():
        files.write(folder / name, content)
        path = folder / name
        files.sweep(path.parent, {path.name})
    for name in before.keys() - now.keys():
        if _links(folder, name) == [] and _is_one_of(folder / name, before[name]):
            with files.explained(folder / name, "delete"):
                (folder / name).unlink()
    _write(folder / sums, now)


def refuse_changed(folder: Path, sums: str, always: Sequence[str] = ()) -> None:
    """Refuse a folder in which a file of ours was changed, before there is anything to write.

    `always`: names of files that will be written whatever there is to say: also where they are not
    on the list, or the list is lost.

    Raises:
        HeadstartError: a file was changed, or a link stands in its place.
    """
    found = _read(folder / sums)
    for name in {**dict.fromkeys(always), **found}:
        _refuse_foreign(folder, name, found.get(name, set()), sums)


def refuse_changed_one(folder: Path, name: str, sums: str) -> None:
    """Refuse to read a file that is not as it was written, where the list of its folder says how it
    was.

    Raises:
        HeadstartError: it was changed, cut or damaged.
    """
    known = _read(folder / sums).get(name)
    if known and not _is_one_of(folder / name, known):
        raise HeadstartError(
            f"{folder / name} was changed since it was written ({sums} has its sha256); write it "
            "again"
        )


def refuse_foreign(path: Path, mark: str, what: str) -> None:
    """Refuse to overwrite a file that does not have `mark` at its beginning; `what` it should be,
    in words.

    Raises:
        HeadstartError: the file is there and is not ours, or is a link or a folder.
    """
    if not path.exists() and not path.is_symlink():
        return
    if path.is_symlink() or not path.is_file():
        kind = "a link" if path.is_symlink() else "no file"
        raise HeadstartError(f"{path} is {kind}; expected {what}, or a name that is not there yet")
    with files.explained(path, "read"), path.open("rb") as opened:
        is_ours = mark.encode() in opened.read(HEAD)
    if not is_ours:
        raise HeadstartError(
            f"{path} is there and is not {what}; choose another name or move it away"
        )


def _refuse_foreign(folder: Path, name: str, known: set[str], sums: str) -> None:
    for link in _links(folder, name):
        raise HeadstartError(f"{link} is a link, and nothing is written through one; move it away")
    path = folder / name
    if not path.parent.is_dir() and path.parent.exists():
        raise HeadstartError(f"{path.parent}: a file stands where a folder should be; move it away")
    if path.exists() and not _is_one_of(path, known):
        raise HeadstartError(
            f"{path} is there, and headstart did not write it or it was changed since "
            f"({sums} lists what was written); choose another folder or move it away"
        )


def _links(folder: Path, name: str) -> list[Path]:
    """The links on the way from the folder to the file; the folder itself may be one."""
    path = folder / name
    return [
        each
        for each in (path, *path.parents)
        if each.is_relative_to(folder) and each != folder and each.is_symlink()
    ]


def _is_one_of(path: Path, known: set[str]) -> bool:
    return path.is_file() and files.digest(path) in known


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> Sums:
    """The list; empty where there is none. Lines that we would not write are left out."""
    if path.is_symlink():
        raise HeadstartError(f"{path} is a link, and nothing is written through one; move it away")
    if not path.exists():
        return {}
    with files.explained(path, "read"):
        text = path.read_text(encoding="utf-8", errors="replace")
    found: Sums = {}
    for digest, name in _lines(text):
        found.setdefault(name, set()).add(digest)
    return found


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if parts := LINE.fullmatch(line):
            yield parts[1], f"{parts[2] or ''}{parts[3]}"


def _write(path: Path, sums: Sums) -> None:
    text = ""
    for name in sorted(sums):
        for digest in sorted(sums[name]):
            text += f"{digest}  {name}\n"
    files.write(path, text)
