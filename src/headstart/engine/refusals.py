"""Refusals, before any training, of networks, devices and rounds that cannot be computed here."""

import math
from dataclasses import replace

import torch

from headstart import machine
from headstart.engine.executors.loop import gradient
from headstart.engine.plan import Population, Schedule
from headstart.errors import HeadstartError, as_memory, reason
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task


def check_network(network: Network, task: Task) -> None:
    """Refuse a model that does not fit the task, trying it, and the task's loss, on two rows."""
    for split in (task.train, task.test):
        inputs, targets = split.inputs[:2].to(network.device), split.targets[:2].to(network.device)
        network.check(inputs, task.outputs)
        try:
            outputs = network(network.initial(0), inputs)
            task.objective(outputs, targets)
        except Exception as error:  # whatever a user's own loss may raise
            raise as_memory(error) or HeadstartError(
                f"task {task.name!r}: its loss does not take outputs of shape "
                f"{list(outputs.shape)} with targets of "
                f"shape {list(targets.shape)} ({targets.dtype}): {reason(error)}"
            ) from error
    try:
        some = Examples(task.train.inputs[:2], task.train.targets[:2]).to(network.device)
        key = torch.zeros((), dtype=torch.int32, device=network.device)
        y = network.initial(0)
        gradient(
            network,
            replace(task, train=some),
            y,
            torch.arange(len(some), device=network.device),
            key,
        )
    except Exception as error:  # whatever somebody's own backward pass may raise
        raise as_memory(error) or HeadstartError(
            f"the model has no gradient on inputs of shape {list(some.inputs.shape)}: "
            f"{reason(error)}"
        ) from error


def check_device(name: str) -> None:
    """Refuse what is neither `cpu` nor an accelerator that torch has here, by trying it."""
    try:
        kind = torch.zeros(1, device=name).device.type
        if kind == "meta" or (kind == "cpu" and name != "cpu"):
            raise ValueError("it is neither 'cpu' nor an accelerator")
    except Exception as error:  # of many kinds, by device
        why = reason(error)
        raise HeadstartError(
            f"device: torch cannot use {name!r} here ({why}); choose cpu or another"
        ) from None


PLANNED = 32
"""Bytes that drawing a round takes for each place of a row in it: its order, its row, its step, and
whether it is.
"""


def check_plan(schedule: Schedule, clients: Population) -> None:
    """Refuse a round that cannot be drawn in the machine's memory: its clients pass over their rows
    too often.
    """
    needed = PLANNED * schedule.cohort * math.ceil(schedule.local_epochs) * clients.widest
    memory = machine.memory()
    if needed > memory // 2:
        raise HeadstartError(
            f"local_epochs: a round of {schedule.cohort} clients with up to {clients.widest} rows, "
            f"{schedule.local_epochs} times each, takes {needed >> 30} GiB to draw, and this "
            f"machine has {memory >> 30}; lower local_epochs or cohort"
        )
