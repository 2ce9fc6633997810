"""The sha256 of files that are not ours."""

import hashlib
from pathlib import Path

from headstart.files.writing import explained


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
