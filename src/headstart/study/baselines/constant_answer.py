"""Answers that need no training: the same one to every row, and a guess among all.

The constant answer is the one that training rows teach who never looks at an input: their majority
class, the most frequent of their next tokens (the unigram), or the mean of their numbers. Its loss
is that of the shares of the training rows,

    p(c) = (n(c) + 1) / (N + C),

with n(c) of the N training targets of class c, of C classes: Laplace's rule, so that a class that
no training row has costs much and not infinitely much. A guess has p(c) = 1 / C.

Shape suffixes: B rows of a batch, C classes, N rows.
"""

from dataclasses import asdict
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from headstart import arrow
from headstart.parts.caches import forgets
from headstart.parts.registry import Component
from headstart.study.data import task_of
from headstart.tables import BASELINES, BaselineRow
from headstart.tasks.base import Examples, Task, classification

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CONSTANT, CHANCE = "constant", "chance"
"""The names of the two in `baselines.parquet`."""

BATCH = 4096
"""Rows that an objective of the user's own is asked about at once."""


@forgets
@lru_cache(maxsize=8)
def baseline_table(task: Component, evaluate_on: str) -> pa.Table:
    """Return `baselines.parquet` of a task.

    Args:
        task: the task.
        evaluate_on: the split that its runs are measured on, `test` or `validation`.
    """
    made = task_of(task)
    measured = made.validation if evaluate_on == "validation" else made.test
    rows = list(map(asdict, untrained_answers(made, measured)))
    return arrow.table(rows, BASELINES)


def untrained_answers(task: Task, measured: Examples) -> list[BaselineRow]:
    """Return what needs no training: the constant answer, and chance where there are classes.

    There is none where an objective of the user's own does not say which targets count, or cannot
    be asked about numbers that no model gave.

    Args:
        task: whose training rows teach the answer.
        measured: the rows that it is judged on.
    """
    if task.train.targets.is_floating_point():
        mean = task.train.targets.double().mean(0).reshape(-1)
        says = ", ".join(f"{number:.4g}" for number in mean[:3].tolist())
        answer = says if len(mean) <= 3 else f"{says}, ..."
        scores = _asked(task, measured, mean)
        return [] if scores is None else [_row(task, CONSTANT, "mean", answer, scores)]
    ignored = None if task.tokens is None else task.tokens.ignored
    if task.train.targets.ndim > 1 and task.tokens is None:
        return []
    counts_C = _counts(task.train.targets, task.outputs, ignored)
    shares_C = (counts_C + 1) / (counts_C.sum() + task.outputs)
    most = int(counts_C.argmax())
    rule = "majority" if task.tokens is None else "unigram"
    answer = task.classes[most] if task.classes else str(most)
    rows = []
    for name, how, says, p_C in (
        (CONSTANT, rule, answer, shares_C),
        (CHANCE, "uniform", f"any of {task.outputs}", np.full(task.outputs, 1 / task.outputs)),
    ):
        if task.objective is classification or task.tokens is not None:
            scores = _scored(_counts(measured.targets, task.outputs, ignored), p_C)
        else:
            scores = _asked(task, measured, torch.as_tensor(np.log(p_C)))
        if scores is not None and name == CHANCE:
            scores = (1 / task.outputs, *scores[1:])
        if scores is not None:
            rows.append(_row(task, name, how, says, scores))
    return rows


Found = tuple[float, float, int]
"""Accuracy, loss, and how many predictions they are means over."""


def _row(task: Task, name: str, rule: str, answer: str, found: Found) -> BaselineRow:
    accuracy, loss, predictions = found
    return BaselineRow(
        task=task.name,
        baseline=name,
        rule=rule,
        answer=answer,
        accuracy=accuracy if np.isfinite(accuracy) else None,
        loss=loss if np.isfinite(loss) else None,
        predictions=predictions,
    )


def _counts(targets: Tensor, outputs: int, ignored: int | None) -> Ints:
    """How often each class, or token, is the target [C]."""
    values = targets.cpu().numpy().reshape(-1)
    if ignored is not None:
        values = values[values != ignored]
    return np.bincount(values, minlength=outputs)


def _scored(counts_C: Ints, shares_C: Floats) -> Found:
    """What the same shares are worth for every row, where the most probable class is the answer."""
    rows = int(counts_C.sum())
    hits = int(counts_C[int(shares_C.argmax())])
    loss = -float(counts_C @ np.log(shares_C))
    return hits / max(rows, 1), loss / max(rows, 1), rows


def _asked(task: Task, measured: Examples, outputs_C: Tensor) -> Found | None:
    """What the task's own objective makes of the same outputs for every row; None where it has none
    of them.
    """
    if len(outputs_C) != task.outputs:
        return None
    sums = np.zeros(3)
    try:
        for targets in torch.split(measured.targets, BATCH):
            outputs_BC = outputs_C.float().repeat(len(targets), 1)
            scores = task.objective(outputs_BC, targets)
            sums += [float(column.double().sum()) for column in scores]
    except Exception:  # whatever a user's own objective may raise: a study goes on without it
        return None
    loss, correct, predictions = sums
    return correct / max(predictions, 1), loss / max(predictions, 1), int(predictions)
