"""A study that is tuned, and trials of one."""

from typing import Any

from headstart.study.spec import Study
from headstart.study.tuning.trials import (
    Trial,
)

KEYS = {
    "task": "digits",
    "model": "mlp(hidden=[8])",
    "clients": ["proximal", "sgd"],
    "population": 10,
    "cohort": 2,
    "batch_size": 60,
    "rounds": 4,
    "every": 1,
    "seeds": [0, 1],
    "executor": "loop",
    "tuning": {"trials": 8, "rounds": 2, "client_rate": [0.01, 1.0], "server_rate": [0.1, 3.0]},
}


def study(**changes: Any) -> Study:
    return Study(**{**KEYS, **changes})


def trial(
    accuracy: float, status: str = "finished", rate: float = 0.1, loss: float = 1.0, rounds: int = 2
) -> Trial:
    values = {"client_rate": rate, "server_rate": 1.0, "client.mu": 0.01}
    return Trial(status, values, ((rounds, accuracy),), loss, (0,), 100, 0.0)
