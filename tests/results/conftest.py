"""A small study of two starts and two pairs, run once."""

from typing import Any

import pytest
import torch
from torch import nn

import headstart


def module() -> Any:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(160, 3, generator=draw)
    labels = (inputs[:, 0] > 0).long()
    clients = [(inputs[i:120:6], labels[i:120:6]) for i in range(6)]
    weights = {"0.weight": torch.eye(4, 3), "0.bias": torch.zeros(4)}
    weights |= {
        "2.weight": torch.tensor([[-1.0, 0, 0, 0], [1.0, 0, 0, 0]]),
        "2.bias": torch.tensor([0.3, -0.3]),
    }
    study = headstart.Study(
        name="<b>bold</b>",
        task=headstart.own_task(clients, (inputs[120:], labels[120:])),
        model=module,
        starts=["random", headstart.own_part(weights, name="sure")],
        clients=["sgd", "proximal(mu=0.5)"],
        seeds=[0, 1, 2],
        rounds=4,
        every=2,
        cohort=3,
    )
    out = tmp_path_factory.mktemp("results") / "out"
    headstart.run_study(study, out)
    return out
