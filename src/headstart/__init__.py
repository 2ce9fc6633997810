"""Headstart: where should federated training begin, and with which pair of optimizers?

`simulate` is one run on one's own module and tensors; `Study` is a grid of runs that ends in a
report. Names are loaded when they are first used, so that importing headstart does not import
torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.errors import HeadstartError
    from headstart.models.conversion.group_norm import to_group_norm
    from headstart.results.study_results import Results, load
    from headstart.results.study_run import run_study, write_report
    from headstart.simulation import Result, simulate
    from headstart.study.given.parts import own_part
    from headstart.study.given.task import own_task
    from headstart.study.spec import Study

__version__ = "0.1.0"
__all__ = [
    "HeadstartError",
    "Result",
    "Results",
    "Study",
    "load",
    "own_part",
    "own_task",
    "run_study",
    "simulate",
    "to_group_norm",
    "write_report",
]

_HOMES = {
    "HeadstartError": "headstart.errors:HeadstartError",
    "Result": "headstart.simulation:Result",
    "Results": "headstart.results.study_results:Results",
    "Study": "headstart.study.spec:Study",
    "load": "headstart.results.study_results:load",
    "own_part": "headstart.study.given.parts:own_part",
    "own_task": "headstart.study.given.task:own_task",
    "run_study": "headstart.results.study_run:run_study",
    "simulate": "headstart.simulation:simulate",
    "to_group_norm": "headstart.models.conversion.group_norm:to_group_norm",
    "write_report": "headstart.results.study_run:write_report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
