"""Commands, called here or in a process of their own, and a small study."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headstart import cli

STUDY = """
task: digits
model: mlp(hidden=[8])
clients: [sgd, proximal(mu=0.5)]
population: 10
cohort: 3
batch_size: 60
rounds: 4
every: 2
seeds: [0, 1]
executor: loop
"""


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])  # type: ignore[attr-defined]


def headstart(*arguments: Any, **keys: Any) -> Any:
    """A process of its own, as a user begins it."""
    command = [sys.executable, "-m", "headstart", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **keys)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


OWN = """
import torch
from torch import nn
from headstart.tasks.base import Examples, Task
def wide(shape, outputs): return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs + 1))
def normed(shape, outputs):
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, outputs))
def broken(shape, outputs): raise RuntimeError("no weights")
def task(targets, rows=12):
    examples = Examples(torch.zeros(12, 1), torch.as_tensor(targets * 4))
    few = Examples(examples.inputs[:rows], examples.targets[:rows])
    return Task("own", examples, examples, few, 2)
def labels(): return task([0, 1, 2])
def empty(): return task([0, 1, 1], 0)
def floats(): return task([0.0, 1.0, 1.0])
"""
