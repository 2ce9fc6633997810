"""Where a study was written, and so where its paths and its own modules are looked up.

What a study file names is beside it, or in the working folder, or may be found nowhere. A part
knows its `Origin`, so that it is read and built alike in every process that is sent it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from headstart.errors import HeadstartError

F = TypeVar("F", bound=Callable[..., Any])

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


Stamp = tuple[tuple[str, int, int], ...]
"""The name, the time of the last change and the size of each file at a path."""

_read: dict[Path, Stamp] = {}
_caches: list[Callable[[], None]] = []


def reads(path: Path) -> None:
    """Note that what a path holds is being read, and may be kept in memory."""
    _read.setdefault(path.absolute(), _stamp(path))


def forgets(function: F) -> F:
    """Have `forget_changed` clear the cache of a function that was given one by `functools`."""
    _caches.append(function.cache_clear)  # type: ignore[attr-defined]
    return function


def forget_changed() -> None:
    """Forget what was read, and made of it, if any file has changed since: a notebook lives for
    days.
    """
    if any(_stamp(path) != stamp for path, stamp in _read.items()):
        _read.clear()
        for clear in _caches:
            clear()


def _stamp(path: Path) -> Stamp:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    stamps = []
    for file in found:
        try:
            status = file.stat()
        except (OSError, ValueError):
            continue
        stamps.append((str(file), status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def cached(maxsize: int) -> Callable[[F], F]:
    """As `functools.lru_cache`, for functions of keywords that look up paths: another folder is
    another call.
    """

    def decorate(function: F) -> F:
        @lru_cache(maxsize)
        def kept(places: tuple[Path, ...], **keywords: Any) -> Any:
            return function(**keywords)

        @wraps(function)
        def looked_up(**keywords: Any) -> Any:
            return kept(current().places, **keywords)

        looked_up.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
        return forgets(cast(F, looked_up))

    return decorate
