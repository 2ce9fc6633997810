"""A task of somebody's own is held to the contract, and a wrong one is found out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headstart.parts.origin import Origin, within
from headstart.tasks.base import TASKS, Examples, Scores, Task, classification
from headstart.testing import tasks

OWN = """
import numpy as np
import torch
from headstart.tasks.base import Examples, Task

def signs(*, rows: int = 60) -> Task:
    '''Is the sum of three numbers positive?'''
    numbers = torch.randn(3 * rows, 3, generator=torch.Generator().manual_seed(0))
    examples = [Examples(part, (part.sum(1) > 0).long()) for part in numbers.split(rows)]
    return Task("signs", *examples, outputs=2, classes=("no", "yes"), owners=np.arange(rows) % 4)
"""


@pytest.fixture
def signs(tmp_path: Path) -> Task:
    (tmp_path / "own_task.py").write_text(OWN)
    with within(Origin(tmp_path, allow=())):
        return TASKS.build(TASKS.component("own_task:signs"))


@pytest.mark.parametrize("rule", tasks.CONTRACT)
def test_a_task_of_ones_own_keeps_the_contract(rule: Callable[[Task], None], signs: Task) -> None:
    rule(signs)


def of_all_rows(outputs: Tensor, targets: Tensor) -> Scores:
    scores = classification(outputs, targets)
    return scores._replace(loss_B=scores.loss_B / scores.loss_B.sum())


def of_nothing(outputs: Tensor, targets: Tensor) -> Scores:
    scores = classification(outputs, targets)
    return scores._replace(loss_B=scores.loss_B * 0)


class Standardised(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs - inputs.mean(0)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"test": Examples(torch.zeros(3, 2), torch.zeros(3).long())}, tasks.has_rows_of_one_form),
        ({"test": Examples(torch.zeros(3, 3), torch.zeros(4).long())}, tasks.has_rows_of_one_form),
        ({"outputs": 1, "classes": ()}, tasks.has_labels_below_its_outputs),
        ({"classes": ("no",)}, tasks.has_labels_below_its_outputs),
        ({"objective": of_all_rows}, tasks.scores_each_row_alone),
        ({"objective": of_nothing}, tasks.scores_each_row_alone),
        ({"owners": np.arange(59)}, tasks.knows_whose_each_row_is),
        ({"test_owners": np.arange(59)}, tasks.knows_whose_each_row_is),
        ({"prepare": Standardised}, tasks.prepares_each_row_alone),
    ],
)
def test_a_task_that_breaks_a_rule_is_found_out(
    signs: Task, wrong: dict[str, object], rule: Callable[[Task], None]
) -> None:
    with pytest.raises(AssertionError):
        rule(replace(signs, **wrong))  # type: ignore[arg-type]
