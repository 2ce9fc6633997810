"""Accuracies of clients from right predictions, by hand."""

import numpy as np
import pytest
import torch

from headstart.engine.plan import Population
from headstart.probes.predictions.client_accuracy import accuracy_of_clients
from headstart.tasks.base import Examples, Task

RIGHT = np.array([1.0, 0.0, 1.0, 1.0])


def task(train: list[int], test: list[int], **keys: object) -> Task:
    parts = [
        Examples(torch.zeros(len(labels), 1), torch.tensor(labels)) for labels in (train, test)
    ]
    return Task("made", parts[0], parts[1], parts[1], 3, **keys)  # type: ignore[arg-type]


def test_owners_have_rows_of_their_own() -> None:
    made = task(
        [0, 1, 2], [0, 0, 1, 2], owners=np.array([4, 9, 9]), test_owners=np.array([9, 9, 9, 4])
    )
    found = accuracy_of_clients(Population(made.natural_clients), made, "clients")
    assert (found.own_rows, found.numbers_K.tolist()) == (True, [4, 9])
    assert found.of_clients(RIGHT, np.ones(4)).tolist() == [1.0, pytest.approx(2 / 3)]
    # of two predictions each, and none of owner 4
    assert np.isnan(found.of_clients(RIGHT, np.array([2.0, 2, 2, 0]))[0])


def test_others_have_a_mix_of_labels() -> None:
    made = task([0, 1, 2, 2], [0, 0, 1, 1])
    found = accuracy_of_clients(
        Population([np.array([0, 1]), np.array([2]), np.array([1, 3])]), made, "clients"
    )
    # Client 1 has only label 2.
    assert (found.own_rows, found.numbers_K.tolist()) == (False, [0, 2])
    assert found.of_clients(RIGHT, np.ones(4)).tolist() == [0.75, 1.0]
