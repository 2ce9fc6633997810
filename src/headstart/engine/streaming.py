"""Training rows that do not fit the device: there are those of one cohort, copied while the one
before is computed.

An executor is built for a task whose training rows are a window on the device, and is given plans
in the window's numbers; it gathers the same rows in the same order, so results keep their bits. A
round is a pure function of its number, so the rows of the next one are known: a thread gathers them
on the host, in pinned memory where there is an accelerator, and begins to copy them on a stream of
their own.

Shape suffix: R rows of a cohort.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from headstart.engine.devices import Ints
from headstart.engine.executors.base import Assignment, Cohort, Compute
from headstart.engine.plan import PAD, Population, RoundPlan
from headstart.kernels.shared_memory import shared_zeros
from headstart.tasks.base import Examples, Task


def width(clients: Population, cohort: int) -> int:
    """Room for the rows of any cohort: a power of two, so that runs with other clients can share
    what was recorded.
    """
    most = int(np.sort(clients.sizes_N)[-cohort:].sum())
    return 1 << (most - 1).bit_length()


def windowed(task: Task, rows: int, device: torch.device) -> Task:
    """The task with room for so many rows on the device in place of its training rows.

    In memory, it is room that processes see which an executor forks.
    """
    if device.type != "cpu":
        return replace(task, train=_room(task.train, rows, device))
    forms = {
        str(i): t.new_empty((rows, *t.shape[1:]), device="meta")
        for i, t in enumerate(_both(task.train))
    }
    return replace(task, train=Examples(*shared_zeros(forms).values()))


def at_hand(task: Task, plan: RoundPlan, device: torch.device) -> tuple[Task, RoundPlan]:
    """The task with the rows of one cohort alone, on the device, and the plan in their numbers."""
    rows_R, local = renumbered(plan)
    index_R = torch.from_numpy(rows_R)
    return replace(
        task, train=Examples(*(rows[index_R] for rows in _both(task.train))).to(device)
    ), local


def renumbered(plan: RoundPlan) -> tuple[Ints, RoundPlan]:
    """Return the rows [R] of a cohort in order, and the plan in which they are 0 to R - 1."""
    rows_R = np.unique(plan.all_rows_KM)
    rows_R = rows_R[rows_R != PAD]

    def places(rows: Ints) -> Ints:
        return np.where(rows == PAD, PAD, np.searchsorted(rows_R, rows))

    return rows_R, replace(
        plan, rows_KSB=places(plan.rows_KSB), all_rows_KM=places(plan.all_rows_KM)
    )


class Streamed:
    """Computes with rows that stay where they are, in memory or in mapped files, one run after
    another.

    Args:
        execute: computes cohorts of a task whose training rows are `room`.
        room: the window on the device, of which each cohort overwrites what it needs.
        source: all training rows, on the host.
    """

    def __init__(self, execute: Compute, room: Examples, source: Examples) -> None:
        self._execute, self._room, self._source = execute, room, source
        device = room.inputs.device
        self._stream = None if device.type == "cpu" else torch.Stream(device)
        self._host = _room(source, len(room), torch.device("cpu"), pinned=self._stream is not None)
        self._staged = self._host
        self._copied: torch.Event | None = None  # when what was staged last is on the device
        self._taken: torch.Event | None = None  # when it is in the window, and may be staged over
        if self._stream is not None:
            self._staged = _room(source, len(room), device)
            for staged in _both(self._staged):
                staged.record_stream(self._stream)  # freed memory is not used anew under a copy
            self._taken = torch.accelerator.current_stream(device).record_event()
        self._thread = ThreadPoolExecutor(1, "headstart-rows")
        self._ahead: Future[Ints] | None = None  # the rows that are being staged

    def __call__(self, assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        """Compute the cohorts of runs; the rows of the next one are staged meanwhile."""
        order = list(assignments.items())
        cohorts = {}
        for i, (place, asked) in enumerate(order):
            rows_R, local = renumbered(asked.plan)
            foreseen = None if self._ahead is None else self._ahead.result()
            if foreseen is None or not np.array_equal(foreseen, rows_R):
                self._stage(rows_R)  # in the first round, or after one in which nobody reported
            self._take(len(rows_R))
            following = order[i + 1][1].plan if i + 1 < len(order) else None
            self._ahead = self._thread.submit(self._stage_plan, following, order[0][1].upcoming)
            cohorts[place] = self._execute({0: asked._replace(plan=local)}, 1)[0]
        return cohorts

    def _stage_plan(self, plan: RoundPlan | None, upcoming: Callable[[], RoundPlan] | None) -> Ints:
        """Stage the rows of a plan, or of the one that is upcoming, and return them."""
        if plan is None and upcoming is not None:
            plan = upcoming()
        rows_R = np.empty(0, np.int64) if plan is None else renumbered(plan)[0]
        self._stage(rows_R)
        return rows_R

    def _stage(self, rows_R: Ints) -> None:
        """Gather rows on the host, and begin to copy them to the device."""
        if self._copied is not None:
            self._copied.synchronize()  # else what is still being copied would change
        index_R, count = torch.from_numpy(rows_R), len(rows_R)
        for rows, host in zip(_both(self._source), _both(self._host), strict=True):
            torch.index_select(rows, 0, index_R, out=host[:count])
        if self._stream is not None and self._taken is not None:
            with self._stream:
                self._stream.wait_event(self._taken)
                for host, staged in zip(_both(self._host), _both(self._staged), strict=True):
                    staged[:count].copy_(host[:count], non_blocking=True)
                self._copied = self._stream.record_event()

    def _take(self, count: int) -> None:
        """Copy what is staged into the window, after all that the device was asked for so far."""
        if self._stream is not None and self._copied is not None:
            torch.accelerator.current_stream(self._stream.device).wait_event(self._copied)
        for staged, room in zip(_both(self._staged), _both(self._room), strict=True):
            room[:count].copy_(staged[:count])
        if self._stream is not None:
            self._taken = torch.accelerator.current_stream(self._stream.device).record_event()


def _room(like: Examples, rows: int, device: torch.device, pinned: bool = False) -> Examples:
    """Memory for so many rows: zeros, so that padding never reads what is no number."""
    return Examples(
        *(
            torch.zeros(rows, *t.shape[1:], dtype=t.dtype, device=device, pin_memory=pinned)
            for t in _both(like)
        )
    )


def _both(examples: Examples) -> tuple[Tensor, Tensor]:
    return examples.inputs, examples.targets
