"""What every task keeps.

Shape suffixes: B rows, C outputs.
"""

import numpy as np
import torch
from torch import Tensor

from headstart.tasks.base import Examples, Scores, Task

ROWS = 5
"""Rows that are looked at, where there are so many."""


def _splits(task: Task) -> dict[str, Examples]:
    """The splits that have rows: a task that is never tuned needs none to validate on."""
    splits = {"train": task.train, "validation": task.validation, "test": task.test}
    return {name: rows for name, rows in splits.items() if len(rows) or name != "validation"}


def has_rows_of_one_form(task: Task) -> None:
    """Training and test rows are there, a target for each input; all splits are of one form."""
    for name, rows in _splits(task).items():
        assert len(rows) > 0, f"no {name} rows"
        assert len(rows.inputs) == len(rows.targets), f"{name}: another number of targets"
        for one, first in ((rows.inputs, task.train.inputs), (rows.targets, task.train.targets)):
            assert one.shape[1:] == first.shape[1:], f"{name}: rows of another shape than train"
            assert one.dtype == first.dtype, f"{name}: rows of another type than train"


def has_labels_below_its_outputs(task: Task) -> None:
    """A target that is a whole number is the place of an output; outputs have names, or none."""
    for name, rows in _splits(task).items():
        if not rows.targets.is_floating_point():
            least, most = int(rows.targets.min()), int(rows.targets.max())
            assert 0 <= least <= most < task.outputs, f"{name}: labels {least} to {most}"
    assert len(task.classes) in (0, task.outputs)


def scores_each_row_alone(task: Task) -> None:
    """A row's loss, right predictions and count do not depend on the rows beside it, and its loss
    has a gradient.
    """
    targets_B = task.train.targets[:ROWS]
    generator = torch.Generator().manual_seed(0)
    shape = (*targets_B.shape, task.outputs)
    outputs_BC = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    scores = task.objective(outputs_BC, targets_B)
    for b in range(len(targets_B)):
        alone = task.objective(outputs_BC[b : b + 1], targets_B[b : b + 1])
        for together, own in zip(scores, alone, strict=True):
            torch.testing.assert_close(together[b : b + 1], own, rtol=1e-12, atol=1e-12)
    _are_scores(scores, len(targets_B))
    (gradient,) = torch.autograd.grad(scores.loss_B.sum(), outputs_BC)
    assert gradient.abs().sum() > 0, "the loss does not depend on the outputs"


def _are_scores(scores: Scores, rows: int) -> None:
    for values in scores:
        assert values.shape == (rows,), f"expected one number a row, got {list(values.shape)}"
        assert bool(torch.isfinite(values).all())
    assert bool((scores.correct_B <= scores.count_B).all()), "more are right than are predicted"


def knows_whose_each_row_is(task: Task) -> None:
    """Where training rows have owners, each row has one, and so has each row of another split."""
    if task.owners is None:
        return
    rows = np.sort(np.concatenate(list(task.natural_clients)))
    np.testing.assert_array_equal(rows, np.arange(len(task.train)))
    for split, owners in (("test", task.test_owners), ("validation", task.validation_owners)):
        if owners is not None:
            assert len(owners) == len(getattr(task, split)), f"{split}: another number of owners"
            assert np.issubdtype(np.asarray(owners).dtype, np.integer), f"{split}: no numbers"


def prepares_each_row_alone(task: Task) -> None:
    """What a model is given of a row does not depend on the rows beside it, nor is it learnt."""
    prepare = task.prepare()
    assert list(prepare.parameters()) == []
    inputs = task.train.inputs[:ROWS]
    copy = inputs.clone()
    together: Tensor = prepare(inputs)
    for b in range(len(inputs)):
        torch.testing.assert_close(prepare(inputs[b : b + 1]), together[b : b + 1])
    assert torch.equal(inputs, copy), "it changes the rows in place"


CONTRACT = (
    has_rows_of_one_form,
    has_labels_below_its_outputs,
    scores_each_row_alone,
    knows_whose_each_row_is,
    prepares_each_row_alone,
)
