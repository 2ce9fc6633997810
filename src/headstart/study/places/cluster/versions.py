"""What must be alike on all nodes of a cluster, so that a run has the same bits wherever it is."""

import platform
from functools import lru_cache
from pathlib import Path

import torch

import headstart
from headstart import files


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Return the versions of this process; of Headstart also a sha256 over its modules."""
    modules = sorted(Path(headstart.__file__).parent.rglob("*.py"))
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": str(torch.__version__),
        "headstart": f"{headstart.__version__} ({files.digest(*modules)[:12]})",
    }


def differences(expected: dict[str, str], found: dict[str, str]) -> str:
    """Say in what versions differ; empty where they are alike.

    >>> differences({"python": "3.11", "torch": "2.13.0"}, {"python": "3.12", "torch": "2.13.0"})
    'python 3.12 rather than 3.11'
    """
    said = []
    for name, version in expected.items():
        if found.get(name) != version:
            said.append(f"{name} {found.get(name, 'missing')} rather than {version}")
    return ", ".join(said)
