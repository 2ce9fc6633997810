"""Weights of a small network, saved and read again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING, Weights, content
from headstart.tasks.base import Task
from headstart.tasks.digits import digits
from headstart.trees import Tree

SHAPES = {"1.weight": (6, 64), "1.bias": (6,), "3.weight": (10, 6), "3.bias": (10,)}


def module() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 10))


def drawn(shapes: dict[str, tuple[int, ...]] = SHAPES, seed: int = 0) -> Tree:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def start(path: Path, **parameters: Any) -> Start:
    return STARTS.build(STARTS.component({"checkpoint": {"path": str(path), **parameters}}))


def weights(
    path: Path, build: Callable[[], nn.Module] = module, task: Task | None = None, **parameters: Any
) -> Tree:
    return start(path, **parameters).weights(NOTHING, Network(build), task or digits(), 0)


def said(
    path: Path, build: Callable[[], nn.Module] = module, task: Task | None = None, **parameters: Any
) -> list[str]:
    network = Network(build)
    return list(start(path, **parameters).check(network, task or digits(), lambda task: network))


def refusal(path: Path, build: Callable[[], nn.Module] = module, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        weights(path, build, **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def equal(a: Tree, b: Tree) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def of_classes(*names: str) -> Task:
    part = digits().test
    return Task("animals", part, part, part, outputs=len(names), classes=names)


def kept(path: Path, *names: str) -> Path:
    network = Network(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, len(names))))
    path.write_bytes(content(Weights.of(network.state(1), network, of_classes(*names)), {}))
    return path
