"""A run of a server optimizer over given pseudo-gradients, and those pseudo-gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from headstart.servers.base import SERVERS


@pytest.fixture
def deltas() -> np.ndarray:
    """20 pseudo-gradients of 4 parameters: sizes from 1e-3 to 10, one of them zero now and then."""
    generator = np.random.default_rng(11)
    values = generator.normal(size=(20, 4)) * np.array([1e-3, 0.1, 1.0, 10.0])
    values[::3, 1] = 0.0
    return values


@pytest.fixture
def start() -> np.ndarray:
    return np.array([0.5, -1.0, 2.0, -3.0])


@pytest.fixture
def serve(start: np.ndarray) -> Callable[..., np.ndarray]:
    """x after each round [rounds, 4], from a server written as in a study file."""

    def run(written: str, deltas: np.ndarray, rate: float) -> np.ndarray:
        server = SERVERS.build(SERVERS.component(written))
        x = {"w": torch.tensor(start)}
        state, visited = server.init(x), []
        for delta in deltas:
            x, state = server.update({"w": torch.tensor(delta)}, state, x, rate)
            visited.append(x["w"].numpy())
        return np.stack(visited)

    return run


@pytest.fixture
def torch_optim(start: np.ndarray) -> Callable[..., np.ndarray]:
    """The same from an optimizer of torch.optim that is given the pseudo-gradient as gradient."""

    def run(
        factory: Callable[..., torch.optim.Optimizer], deltas: np.ndarray, **settings: Any
    ) -> np.ndarray:
        x = torch.tensor(start, requires_grad=True)
        optimizer, visited = factory([x], **settings), []
        for delta in deltas:
            x.grad = torch.tensor(delta)
            optimizer.step()
            visited.append(x.detach().numpy().copy())
        return np.stack(visited)

    return run
