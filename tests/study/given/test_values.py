"""Which values are weights, and which the rows of each client."""

from typing import Any

import numpy as np
import pytest
import torch

from headstart.study.given.values import are_rows, is_weights


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"w": torch.ones(1)}, True),
        ({"w": np.ones(1), "note": "x"}, True),
        ({"w": [1.0]}, False),
        ({}, False),
        (torch.ones(1), False),
    ],
)
def test_weights_are_mappings_with_tensors(value: Any, expected: bool) -> None:
    assert is_weights(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([[0, 1], [2]], True),
        ([range(3), np.arange(3)], True),
        ((torch.arange(2), [np.int64(3)]), True),
        ([], False),
        ([0, 1], False),
        (["iid", "natural"], False),
        ([[0.5]], False),
    ],
)
def test_rows_are_lists_of_whole_numbers(value: Any, expected: bool) -> None:
    assert are_rows(value) is expected
