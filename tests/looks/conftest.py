"""Rows of runs that are written down in tests."""

from collections.abc import Iterable, Iterator
from typing import Any

from headstart.looks.competitors import Pair, Setting
from headstart.looks.plans import Plan
from headstart.statistics.joint.sequential import until_decided

DIRICHLET, IID = Setting("dirichlet(alpha=0.1)", "equal", 1), Setting("iid", "equal", 1)
SGD, ADAM, NOVA = Pair("sgd", "sgd"), Pair("sgd", "adam"), Pair("nova", "sgd")
PLAN = Plan((0, 1, 2, 3, 4), until_decided(3, 5), margin=0.005)
NOISE = (0.001, -0.002, 0.0015, -0.001, 0.002)
LOW, HIGH = [0.5 + each for each in NOISE], [0.8 - each for each in NOISE]
EQUAL = [0.8 + 4 * each for each in NOISE]


def runs(
    start: str, pair: Pair, accuracies: Iterable[float | None], setting: Setting = IID, **more: Any
) -> Iterator[Any]:
    """A run for each accuracy, from seed 0 on: None where the run diverged."""
    for seed, accuracy in enumerate(accuracies):
        row = setting._asdict() | {
            "start": start,
            "seed": seed,
            "client": pair.client,
            "server": pair.server,
        }
        row |= {
            "client_rate": 0.1,
            "server_rate": 1.0,
            "test_accuracy": accuracy,
            "test_predictions": 1000,
        }
        ended = {
            "status": "diverged" if accuracy is None else "finished",
            "test_loss": 2 - (accuracy or 0),
        }
        yield row | ended | more
