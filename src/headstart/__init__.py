"""Headstart: where should federated training begin, and with which pair of optimizers?

`simulate` is one run on one's own module and tensors; `Study` is a grid of runs that ends in a report.
Names are loaded when they are first used, so that importing headstart does not import torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.errors import HeadstartError as HeadstartError
    from headstart.models.network import to_group_norm as to_group_norm
    from headstart.study.simulate import Result as Result
    from headstart.study.simulate import simulate as simulate
    from headstart.study.spec import Study as Study

__version__ = "0.1.0"

_HOMES = {
    "HeadstartError": "headstart.errors",
    "Result": "headstart.study.simulate",
    "Study": "headstart.study.spec",
    "simulate": "headstart.study.simulate",
    "to_group_norm": "headstart.models.network",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
