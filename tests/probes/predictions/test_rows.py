"""What the model makes of each row, whatever the batch; targets that are no classes are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.probes.predictions.rows import correct_of_rows, labels_of_rows, refuse_no_classes
from headstart.tasks.base import Examples, Task

PREDICTED, TRUTH = [0, 1, 2, 1, 0], [0, 1, 1, 0, 0]
ROWS = Examples(nn.functional.one_hot(torch.tensor(PREDICTED), 3).float(), torch.tensor(TRUTH))
TASK = Task("made", ROWS, ROWS, ROWS, 3)


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_rows_are_in_their_order(batch: int) -> None:
    network = Network(lambda: nn.Linear(3, 3, bias=False))
    x = {"weight": torch.eye(3)}
    correct, count = correct_of_rows(network, x, TASK, ROWS, batch)
    assert correct.tolist() == [1, 1, 0, 0, 1]
    assert count.tolist() == [1] * 5
    np.testing.assert_array_equal(labels_of_rows(network, x, ROWS, batch), PREDICTED)


def test_targets_that_are_no_classes_are_refused() -> None:
    refuse_no_classes(TASK, "classes")
    numbers = replace(TASK, test=Examples(ROWS.inputs, ROWS.targets.float()))
    with pytest.raises(HeadstartError, match=r"^probes: classes needs one class .* are numbers$"):
        refuse_no_classes(numbers, "classes")
