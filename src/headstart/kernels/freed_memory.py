"""Memory that was freed, kept by the process rather than given back to the system.

A step takes tens of MiB for what lies between its layers and frees them again. By default the C
library gives such memory back at once, and takes it anew for the next step, page by page, each of
which the system clears first: a fifth of a step of a small residual network on 32x32 images.
"""

import ctypes
import platform
from functools import cache

KEPT = 1 << 28
"""Bytes at the end of the heap that are kept rather than given back."""
LARGE = 1 << 25
"""Bytes from which on memory is taken from the system by itself; the C library takes no more."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""The numbers of mallopt(3) in malloc.h of glibc."""


@cache
def kept_for_the_next_step() -> bool:
    """Tell the C library of this process to keep what is freed; return whether it can.

    All threads then take their memory from one place: the places that threads have of their own are
    given back whatever is said here.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    settings = {_TRIM_THRESHOLD: KEPT, _MMAP_THRESHOLD: LARGE, _ARENA_MAX: 1}
    accepted = [library.mallopt(number, value) for number, value in settings.items()]
    return accepted == [1] * len(settings)
