"""The tasks of a study: made once a process, checked, and moved to where they are computed on."""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import torch

from headstart.engine.plan import Population
from headstart.errors import HeadstartError
from headstart.parts.caches import forgets
from headstart.parts.registry import Component
from headstart.tasks.base import TASKS, Task

CPU = torch.device("cpu")


@forgets
@lru_cache(maxsize=8)
def task_of(task: Component, device: torch.device = CPU) -> Task:
    """The task, with its examples checked, on a device."""
    if device != CPU:
        return task_of(task).to(device)
    made = _provided[task] if task in _provided else partial(TASKS.build, task)
    built = made()
    check_examples(built)
    return built


@forgets
@lru_cache(maxsize=8)
def fits(task: Component, device: torch.device, data_mib: int | None) -> bool:
    """Whether the task's rows may all be on the device: in `data_mib`, or in half of what is free
    there when asked.

    Those on the CPU are where they are used already; only a number keeps them out.
    """
    if data_mib is None and device == CPU:
        return True
    room = (
        torch.accelerator.get_memory_info(device)[0] // 2 if data_mib is None else data_mib * 2**20
    )
    made = task_of(task)
    splits = (made.train, made.validation, made.test)
    return sum(rows.inputs.nbytes + rows.targets.nbytes for rows in splits) <= room


def provide(task: Component, make: Callable[[], Task]) -> None:
    """Have this process make a task in another way than by its factory: the same task, mapped from
    files.
    """
    _provided[task] = make


_provided: dict[Component, Callable[[], Task]] = {}


def check_examples(task: Task) -> None:
    """Refuse splits without rows, and class labels outside of the model's outputs. The validation
    split may be empty.
    """
    for split in ("train", "test", "validation"):
        inputs, targets = getattr(task, split).inputs, getattr(task, split).targets
        if len(inputs) != len(targets):
            raise HeadstartError(
                f"task {task.name!r}: expected as many targets as inputs in its {split} split, "
                f"got {len(targets)} and {len(inputs)}"
            )
        if split != "validation" and not len(targets):
            raise HeadstartError(
                f"task {task.name!r}: expected at least one row in its {split} split, got none"
            )
        if len(targets) and not targets.is_floating_point():
            low, high = int(targets.min()), int(targets.max())
            if low < 0 or high >= task.outputs:
                raise HeadstartError(
                    f"task {task.name!r}: expected labels 0 to {task.outputs - 1} in its {split} "
                    f"split, got {low} to {high}"
                )


def unused_clients(task: Task, partition: Component) -> int | None:
    """How many clients the study named whose rows this partition deals to others.

    None where it named none, or the partition leaves theirs to them or is of the user's own, which
    may.
    """
    if not task.owners_named or partition.name == "natural" or ":" in partition.name:
        return None
    return len(task.natural_clients)


def check_clients(clients: Population) -> None:
    """Refuse clients without data."""
    empty = np.flatnonzero(clients.sizes_N == 0)
    if len(empty):
        raise HeadstartError(
            f"client {empty[0]} has no training data ({len(empty)} such clients); leave them out"
        )


def check_rows(clients: Population, rows: int, partition: str) -> None:
    """Refuse clients whose rows are not those of the training split."""
    given, came = clients.rows, ""
    if given.dtype.kind not in "iu":
        came = f"values of {given.dtype}"
    elif given.min() < 0 or given.max() >= rows:
        came = f"{given.min()} to {given.max()}"
    if came:
        raise HeadstartError(
            f"partition {partition!r}: expected the rows of each client as whole numbers from 0 to "
            f"{rows - 1}, got {came}"
        )


def check_cohort(cohort: int, clients: Population) -> None:
    """Refuse cohorts larger than the number of clients."""
    if cohort > len(clients):
        raise HeadstartError(
            f"cohort: expected at most the number of clients ({len(clients)}), got {cohort}"
        )
