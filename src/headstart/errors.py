"""Errors that a user can act on: one line that says what was expected, what came and what to do."""

import difflib
import re
from collections.abc import Iterable, Mapping


class HeadstartError(Exception):
    """Bad input, a damaged file, a refused model. The command line prints the message and exits
    with 2.
    """


class OutOfMemoryError(HeadstartError):
    """This machine, or its accelerator, has less memory than was asked for."""


def reason(error: BaseException) -> str:
    """What an exception says, in one line; its type where it says nothing.

    >>> lines = "expected 2", "in line 7"
    >>> reason(ValueError("\\n".join(lines))), reason(KeyError())
    ('expected 2', 'KeyError')
    """
    return next(iter(said(error).strip().splitlines()), "") or type(error).__name__


def said(error: BaseException) -> str:
    """What an exception says; nothing where it cannot say it, as one of somebody's own may."""
    try:
        return str(error)
    except Exception:
        return ""


_NOT_LOADED = r"(\S+): failed to map segment from shared object(?!: Operation not permitted)"
"""What the loader says of a library that finds no room; not where its disk allows no programs."""


def as_memory(error: BaseException) -> OutOfMemoryError | None:
    """The error about memory that an exception is, or None: torch has no exception of its own for
    it on the CPU.

    >>> str(as_memory(MemoryError()))
    'this machine has not enough memory; choose a smaller model, batch or cohort'
    >>> little = RuntimeError("tried to allocate 4194304 bytes: out of memory")
    >>> str(as_memory(little)).partition(";")[0]
    'this machine has not enough memory for 4.0 MiB at once'
    >>> as_memory(RuntimeError("shapes do not match"))
    >>> str(as_memory(ImportError("libtorch.so: failed to map segment from shared object")))
    'there is not enough memory to load libtorch.so; allow this process more (ulimit -v)'
    """
    text = said(error)
    if isinstance(error, OutOfMemoryError):
        return error
    if isinstance(error, ImportError) and (library := re.search(_NOT_LOADED, text)):
        return OutOfMemoryError(
            f"there is not enough memory to load {library[1]}; allow this process more (ulimit -v)"
        )
    if not (isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text):
        return None
    bytes_ = re.search(r"tried to allocate (\d+) bytes", text)
    size = f" for {_size(int(bytes_[1]))} at once" if bytes_ else ""
    return OutOfMemoryError(
        f"this machine has not enough memory{size}; choose a smaller model, batch or cohort"
    )


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**28 else f"{count / 2**20:,.1f} MiB"


def nearest(name: str, names: Iterable[str], known_as: Mapping[str, str] | None = None) -> str:
    """The offer that ends an error about an unknown name; `known_as` leads from what others call it
    to the name.

    >>> nearest("proximl", ["sgd", "proximal"])
    "; did you mean 'proximal'?"
    >>> nearest("fedprx", ["sgd", "proximal"], {"fedprox": "proximal"})
    "; did you mean 'proximal'?"
    >>> nearest("zzz", ["sgd", "gd"])
    '; known: gd, sgd'
    """
    names = sorted(names)
    offered = {**(known_as or {}), **{known: known for known in names}}
    close = difflib.get_close_matches(name.lower(), offered, n=1, cutoff=0.6)
    return f"; did you mean {offered[close[0]]!r}?" if close else f"; known: {', '.join(names)}"
