"""Tensors, arrays and lists as the examples of clients."""

from typing import Any

import numpy as np
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.study.given.examples import examples_of, pairs_of, task_and_clients
from headstart.tasks.base import classification


def test_rows_of_all_clients_are_joined_and_each_has_its_own() -> None:
    data = {"a": ([[0.0], [1.0]], [0, 1]), "b": (np.ones((3, 1)), np.array([2, 0, 1]))}
    task, clients = task_and_clients(data.values(), ([[0.5]], [1]), None, classification)
    assert [clients[k].tolist() for k in range(len(clients))] == [[0, 1], [2, 3, 4]]
    assert task.train.targets.tolist() == [0, 1, 2, 0, 1]
    assert (task.outputs, task.input_shape, len(task.test)) == (3, (1,), 1)


def test_names_of_clients_are_left_out() -> None:
    assert pairs_of({"x": (1, 2), "y": (3, 4)}) == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        (3, "data[0]: expected a pair of tensors or arrays"),
        (([1.0], [0, 1]), "data[0]: expected as many targets as inputs, got 2 and 1"),
        (([float("nan")], [0]), "data[0]: row 0 of the inputs has a value that is not finite"),
        (([1.0], [0.5]), "data[0]: expected class labels, which are whole numbers"),
        ((["a"], [0]), "data[0]: the inputs: expected numbers, got list"),
        ((1.0, [0]), "data[0]: the inputs: expected a row for each example"),
        ((torch.ones(1, dtype=torch.complex64), [0]), "expected real numbers, got torch.complex64"),
        ((np.ma.masked_array([1.0, 2.0], [False, True]), [0, 1]), "of which 1 are masked"),
    ],
)
def test_what_is_none_is_one_line(pair: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        examples_of(pair, "data[0]", classification)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_clients_of_several_shapes_are_refused() -> None:
    data = [([[1.0]], [0]), ([[1.0, 2.0]], [0])]
    with pytest.raises(HeadstartError, match=r"^data\[1\]: expected inputs of shape \[1\] as in"):
        task_and_clients(data, ([[1.0]], [0]), None, classification)
    with pytest.raises(HeadstartError, match="got none"):
        pairs_of([])
