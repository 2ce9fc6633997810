"""What was read from files is kept in memory until a file changes: a notebook lives for days."""

from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from headstart.parts.origin import current

F = TypeVar("F", bound=Callable[..., Any])

Stamp = tuple[tuple[str, int, int], ...]
"""The name, the time of the last change and the size of each file at a path."""

_read: dict[Path, Stamp] = {}
_caches: list[Callable[[], None]] = []


def reads(path: Path) -> None:
    """Note that what a path holds is being read, and may be kept in memory."""
    _read.setdefault(path.absolute(), _stamp(path.absolute()))


def forgets(function: F) -> F:
    """Have `forget_changed` clear the cache of a function that was given one by `functools`."""
    _caches.append(function.cache_clear)  # type: ignore[attr-defined]
    return function


def forget_changed() -> None:
    """Forget what was read, and made of it, if any file has changed since."""
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
