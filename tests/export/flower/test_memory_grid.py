"""The grid in memory carries copies, notes what it carries, and ends after the rounds wanted."""

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

import torch
from flwr.app import ArrayRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp

from headstart.export.flower.memory_grid import EnoughError, MemoryGrid, identified
from headstart.export.flower.records import arrays, tree

CPU = torch.device("cpu")
X = {"w": torch.tensor([1.0, 2.0])}


def doubling() -> ClientApp:
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        if context.node_config["partition-id"] == 1:
            raise RuntimeError("out of rows")
        content = message.content
        y = tree(content.array_records["x"], CPU)
        content["x"] = arrays({"w": 2 * y["w"]})
        return Message(RecordDict({"y": content.array_records["x"]}), reply_to=message)

    @app.evaluate()
    def evaluate(message: Message, context: Context) -> Message:
        return Message(RecordDict(), reply_to=message)

    return app


def messages(grid: MemoryGrid, kind: str, record: ArrayRecord) -> list[Message]:
    content = RecordDict({"x": record})
    return [Message(content, dst_node_id=node, message_type=kind) for node in grid.get_node_ids()]


def test_what_is_carried_is_noted_and_what_fails_is_an_error() -> None:
    grid = MemoryGrid(doubling(), 2, 1, {"rate": 0.1})
    with identified():
        record = arrays(X)
        replies = list(grid.send_and_receive(messages(grid, "train", record)))
        assert [reply.has_error() for reply in replies] == [False, True]
        list(grid.send_and_receive(messages(grid, "evaluate", record)))
        assert tree(record, CPU)["w"].equal(X["w"])  # the client changed a copy
        with pytest.raises(EnoughError):
            grid.push_messages(messages(grid, "train", arrays({"w": X["w"] + 1})))
    (round_,) = grid.carried.rounds
    assert [one.client for one in round_] == [0, 1]
    assert round_[0].sent["x"]["w"].equal(X["w"])
    assert round_[0].reply["y"]["w"].equal(2 * X["w"])
    assert round_[1].failure == "out of rows"
    assert grid.carried.evaluated[1]["x"]["w"].equal(X["w"])
    assert grid.carried.after["x"]["w"].equal(X["w"] + 1)


def test_messages_are_pushed_and_pulled_by_their_numbers() -> None:
    grid = MemoryGrid(doubling(), 1, 1, {})
    assert grid.run.run_id == 1
    with identified():
        made = grid.create_message(RecordDict({"x": arrays(X)}), "train", 1000, "1")
        (number,) = grid.push_messages([made])
        assert len(list(grid.pull_messages([number]))) == 1
        assert list(grid.pull_messages([number])) == []
