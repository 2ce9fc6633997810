"""Where a study was written, and so where its paths and its own modules are looked up.

What a study file names is beside it, or in the working folder, or may be found nowhere. A part
knows its `Origin`, so that it is read and built alike in every process that is sent it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from headstart.errors import HeadstartError

KEPT = "modules"
"""The folder, in that of a study's results, with copies of its own modules."""


@dataclass(frozen=True)
class Origin:
    """Where a study was written.

    `folder`: that of its file; what it names is looked up there first, then in the working folder.
    `allow`: the modules elsewhere that its parts may come from; None stands for all that Python can
    import, as a program that makes a study by calls has them.
    """

    folder: Path
    allow: tuple[str, ...] | None = None

    @classmethod
    def of_file(cls, file: Path, allow: tuple[str, ...] = ()) -> "Origin":
        """Where a study file lies."""
        return cls(Path(os.path.abspath(file)).parent, tuple(allow))

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders to look in, in order."""
        return tuple(dict.fromkeys((self.folder, Path.cwd())))


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin:
    """Where what is being read was written: in no file, then it is the working folder."""
    return _current.get() or Origin(Path.cwd())


@contextmanager
def within(origin: Origin) -> Iterator[None]:
    """Has all that is read or built in the block be of that origin."""
    before = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(before)


def found(written: str) -> Path:
    """The path as written beside the study file, else in the working folder.

    Raises:
        HeadstartError: it is in neither, which are named; or it is no path at all.
    """
    if "\0" in written:
        raise HeadstartError(f"expected a path, got {written!r}, which has a zero character")
    path, origin = (
        Path(written).expanduser() if written.startswith("~") else Path(written),
        current(),
    )
    if path.is_absolute():
        return path
    for place in origin.places:
        if os.path.lexists(place / path):
            return path if place == Path.cwd() else place / path
    beside = [f"beside the study file ({place})" for place in origin.places if place != Path.cwd()]
    looked = " and ".join([*beside, f"in the working folder ({Path.cwd()})"])
    raise HeadstartError(f"{written}: there is no such file or folder; looked {looked}")
