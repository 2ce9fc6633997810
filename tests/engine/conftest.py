"""A small classification task with clients of unequal sizes, in float64."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headstart import rng, trees
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS, Cohort
from headstart.engine.federation import Federation, State
from headstart.engine.plan import Population, Schedule
from headstart.models.network import Network
from headstart.servers.base import SERVERS
from headstart.study.rounds import advance
from headstart.tasks.base import Examples, Task

FEATURES, CLASSES = 5, 3
METHODS = [entry.name for entry in CLIENTS] + [
    "sgd(momentum=0.9, weight_decay=0.01)",
    "nova(momentum=0.9)",
    "mimelite(base='adam')",
]
RELATIVE = 1e-10


@dataclass(frozen=True)
class Small:
    """A task, its clients, and federations over them."""

    task: Task
    clients: Population

    def network(self, dropout: float = 0.0) -> Network:
        return Network(
            lambda: nn.Sequential(
                nn.Linear(FEATURES, 7), nn.Tanh(), nn.Dropout(dropout), nn.Linear(7, CLASSES)
            ),
            torch.float64,
        )

    def federation(
        self,
        client: str = "sgd",
        server: str = "sgd",
        executor: str = "loop",
        network: Network | None = None,
        client_rate: float = 0.1,
        server_rate: float = 1.0,
        seed: int = 0,
        **schedule: Any,
    ) -> Federation:
        network = network or self.network()
        optimizer = CLIENTS.build(CLIENTS.component(client))
        settings: dict[str, Any] = {
            "cohort": 4,
            "local_epochs": 1,
            "batch_size": 4,
            "weighting": "samples",
        } | schedule
        devices = DEVICES.build(DEVICES.component(settings.pop("devices", "equal")))
        return Federation(
            network=network,
            task=self.task,
            clients=self.clients,
            client=optimizer,
            server=SERVERS.build(SERVERS.component(server)),
            client_rate=client_rate,
            server_rate=server_rate,
            schedule=Schedule(**settings, batching=optimizer.batching, devices=devices),
            execute=EXECUTORS.build(EXECUTORS.component(executor)).compute_for(
                network, self.task, optimizer
            ),
            seed=seed,
        )


def one_round(
    federation: Federation, state: State, watched: bool = True
) -> tuple[State, Cohort | None]:
    """A round of one run."""
    return advance([federation], {0: state}, watched)[0]


def distance(a: trees.Tree, b: trees.Tree) -> float:
    assert list(a) == list(b)
    return float(trees.norm(trees.subtract(a, b)) / trees.norm(b).clamp(min=1e-30)) if a else 0.0


@pytest.fixture(scope="session")
def small() -> Small:
    return small_task()


def small_task() -> Small:
    draw = rng.torch_generator(0, "small task")
    inputs = torch.randn(60, FEATURES, generator=draw, dtype=torch.float64)
    targets = torch.randint(CLASSES, (60,), generator=draw)
    examples = Examples(inputs, targets)
    sizes = [1, 3, 4, 5, 8, 9, 12, 18]
    ends = np.cumsum(sizes)
    clients = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    return Small(Task("small", examples, examples, examples, CLASSES), Population(clients))


def assert_equal_to_the_loop(
    result: tuple[State, Cohort | None] | None, expected: tuple[State, Cohort | None]
) -> None:
    assert result is not None
    (state, cohort), (other, reference) = result, expected
    assert cohort is not None
    assert reference is not None
    for name in ("x", "server", "shared", "pseudo_gradient"):
        assert distance(getattr(state, name), getattr(other, name)) < RELATIVE
    assert state.memories.keys() == other.memories.keys()
    for client, memory in other.memories.items():
        assert distance(state.memories[client], memory) < RELATIVE
    assert float(cohort.local_loss) == pytest.approx(float(reference.local_loss), rel=RELATIVE)
    for name in ("squared_norms", "total_squared", "unit_total_squared", "count"):
        ours, theirs = getattr(cohort.alignment, name), getattr(reference.alignment, name)
        assert float(ours) == pytest.approx(float(theirs), rel=RELATIVE)
    assert (state.bytes_up, state.bytes_down, state.simulated_seconds, state.round) == (
        other.bytes_up, other.bytes_down, other.simulated_seconds, other.round,
    )  # fmt: skip
