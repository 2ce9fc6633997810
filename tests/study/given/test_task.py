"""The task of one's own tensors: whose each row is, what is set aside,
and the line for each bad input.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

import headstart
from headstart.errors import HeadstartError
from headstart.tasks.base import Task

DATA = [
    (torch.arange(12.0).reshape(6, 2) + 100 * i, torch.tensor([0, 1, 2, 0, 1, 2])) for i in range(3)
]
TEST = (torch.zeros(4, 2), torch.tensor([0, 1, 2, 0]))


def test_every_client_keeps_its_rows() -> None:
    task = headstart.own_task(DATA, TEST)
    assert (task.name, task.outputs, len(task.train), len(task.test), len(task.validation)) == (
        "own data",
        3,
        18,
        4,
        0,
    )
    for rows, (inputs, targets) in zip(task.natural_clients, DATA, strict=True):
        assert torch.equal(task.train.inputs[rows], inputs)
        assert torch.equal(task.train.targets[rows], targets)


def test_a_share_of_each_client_is_set_aside_and_every_row_has_one_use() -> None:
    task = headstart.own_task(
        [*DATA, (torch.full((1, 2), 999.0), torch.tensor([0]))], TEST, validation=0.3
    )
    assert [len(rows) for rows in task.natural_clients] == [4, 4, 4, 1]
    assert task.validation_owners.tolist() == [0, 0, 1, 1, 2, 2]  # type: ignore[union-attr]
    for owner, rows in enumerate(task.natural_clients[:3]):
        kept = task.train.inputs[rows]
        aside = task.validation.inputs[task.validation_owners == owner]
        assert sorted(torch.cat([kept, aside])[:, 0].tolist()) == DATA[owner][0][:, 0].tolist()
    again = headstart.own_task(DATA, TEST, validation=0.3)
    assert torch.equal(again.validation.inputs, task.validation.inputs[:6])


def test_a_validation_part_may_be_given() -> None:
    task = headstart.own_task(DATA, TEST, validation=(TEST[0][:2], TEST[1][:2]))
    assert (len(task.train), len(task.validation)) == (18, 2)


def test_test_rows_of_each_client_have_owners() -> None:
    tests = [(torch.zeros(n, 2), torch.zeros(n, dtype=torch.int64)) for n in (2, 1, 3)]
    task = headstart.own_task(DATA, tests)
    assert task.test_owners.tolist() == [0, 0, 1, 2, 2, 2]  # type: ignore[union-attr]
    named = headstart.own_task(
        dict(zip("abc", DATA, strict=True)), dict(zip("cab", tests, strict=True))
    )
    # In the order of data.
    assert named.test_owners.tolist() == [0, 1, 1, 1, 2, 2]  # type: ignore[union-attr]


def test_arrays_and_tensors_are_the_same_task() -> None:
    arrays = [(x.numpy(), y.numpy().astype(np.uint8)) for x, y in DATA]
    one, two = headstart.own_task(arrays, TEST), headstart.own_task(DATA, [TEST[0], TEST[1]])  # type: ignore[list-item]
    assert torch.equal(one.train.inputs, two.train.inputs)
    assert torch.equal(one.train.targets, two.train.targets)


BAD = [
    ({"data": []}, "data: expected inputs and targets of at least one client, got none"),
    ({"data": DATA[0][0]}, "data: expected (inputs, targets) of each client, got Tensor"),
    ({"data": 3}, "data: expected (inputs, targets) of each client, got int"),
    ({"data": [3]}, "data[0]: expected a pair of tensors or arrays"),
    ({"data": [(DATA[0][0].to("meta"), DATA[0][1])]},
     "data[0]: the inputs: expected dense numbers, got a tensor that is on meta, without numbers"),
    ({"validation": (TEST[0].to_sparse(), TEST[1])},
     "validation: the inputs: expected dense numbers, got a tensor that is torch.sparse_coo"),
    ({"test": 3}, "test: expected a pair of tensors or arrays"),
    ({"test": [TEST, TEST]},
     "test: expected one pair for each of the 3 clients, or one tuple of inputs and targets, "
     "got a list of 2"),
    ({"test": {"a": TEST}}, "test: expected the clients of data, by the same names"),
    ({"test": (TEST[0], TEST[1] + 1)}, "expected labels 0 to 2 in its test split, got 1 to 3"),
    ({"validation": 1.0},
     "validation: expected a share from 0 to below 1, or inputs and targets, got 1.0"),
    ({"validation": "some"},
     "validation: expected a share from 0 to below 1, or inputs and targets, got 'some'"),
    ({"validation": True},
     "validation: expected a share from 0 to below 1, or inputs and targets, got True"),
    ({"classes": ["a", "b"]}, "classes: expected the names of 3 labels, got 2"),
    ({"classes": "abc"}, "classes: expected the names of the labels, got 'abc'"),
    ({"name": 3}, "name: expected a text, got int"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD)
def test_what_does_not_fit_gets_one_line(keys: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        headstart.own_task(**{"data": DATA, "test": TEST, **keys})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_field_of_a_task_comes_or_goes_unseen() -> None:
    """They are in the keys of the runs of a study that a program gave: another field would have
    all of them computed anew.
    """
    assert [field.name for field in fields(Task)] == [
        "name",
        "train",
        "validation",
        "test",
        "outputs",
        "objective",
        "owners",
        "classes",
        "mapped",
        "tokens",
        "content",
        "prepare",
        "test_owners",
        "validation_owners",
        "notes",
        "features",
        "owners_named",
    ]
