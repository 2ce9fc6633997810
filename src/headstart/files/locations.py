"""Where data lie that a study names."""

import os
from pathlib import Path

from headstart.errors import HeadstartError
from headstart.parts import caches, origin

DATA = "HEADSTART_DATA"
"""The variable of the environment that names the folder of the data."""


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
