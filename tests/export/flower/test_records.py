"""What messages carry comes out as it went in, to the bit."""

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

import torch

from headstart.clients.base import Upload
from headstart.export.deployment import Contribution, Sent
from headstart.export.flower import records

CPU = torch.device("cpu")
X = {"w": torch.tensor([[0.1, 1e-30]], dtype=torch.float64), "a": torch.tensor(2.5)}


def test_a_tree_is_the_same_afterwards() -> None:
    found = records.tree(records.arrays(X), CPU)
    assert list(found) == list(X)
    for name, leaf in X.items():
        assert found[name].dtype == leaf.dtype
        assert found[name].equal(leaf)


def test_a_message_to_a_client_says_what_was_sent() -> None:
    content = records.to_client(Sent(7, X, {}, {"b": X["a"]}, 0.1))
    assert sorted(content.array_records) == ["held", "x"]
    found = records.sent(content, CPU)
    assert (found.round, found.rate, found.shared) == (7, 0.1, {})
    assert found.x["w"].equal(X["w"])
    assert found.held["b"].equal(X["a"])


def test_a_reply_says_what_came_of_a_round() -> None:
    memory = {"kept": torch.zeros(1)}
    content = records.from_client(3, 20, Upload(X, {}, memory), 0.5)
    assert sorted(content.array_records) == ["update"]
    found = records.answer(content, CPU)
    assert isinstance(found, Contribution)
    assert (found.client, found.rows, found.upload.message) == (3, 20, {})
    assert found.upload.update["w"].equal(X["w"])
    assert records.answer(records.from_client(3, 20, None, 0.0), CPU) is None
