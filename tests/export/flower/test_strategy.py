"""The strategy waits for its nodes, asks who they are, and goes on with those that answer."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

import torch
from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

from headstart.errors import HeadstartError
from headstart.export.flower.client import client_app
from headstart.export.flower.memory_grid import MemoryGrid, identified
from headstart.export.flower.server import server_app
from headstart.export.flower.settings import AppSettings
from headstart.export.flower.strategy import RecipeStrategy
from headstart.export.recipe import FILE
from headstart.export.study_rows import rows_of
from headstart.starts.weights import load

from ..conftest import Choose

CONFIG = {"rounds": 2, "min-nodes": 3, "timeout": 0.1, "cohorts": "nodes"}


class Losing(MemoryGrid):
    """A grid on which nothing comes back from some nodes when they are to train."""

    lost: tuple[int, ...] = ()

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        replies = []
        for reply in super().send_and_receive(messages, timeout=timeout):
            client = reply.metadata.src_node_id - 1000
            if client not in self.lost or reply.metadata.message_type == "query":
                replies.append(reply)
            elif client == 1:  # as a SuperLink says of a node that is gone
                asked = Message(RecordDict(), dst_node_id=1, message_type="train")
                replies.append(Message(Error(3, "Node Unavailable"), reply_to=asked))
        return replies


def trained(choose: Choose, folder: Path, lost: tuple[int, ...] = (),
            **config: Any) -> Any:  # fmt: skip
    found = choose("mimelite")
    (folder / FILE).write_text(found.recipe.text())
    (folder / "w.safetensors").write_bytes(found.content)
    given = {**CONFIG, "weights": str(folder / "w.safetensors"), **config}

    def load_data(context: Context) -> Any:
        return rows_of(folder, int(context.node_config["partition-id"]))

    grid = Losing(client_app(folder, load_data), 4, 99, given)
    grid.lost = lost
    settings = AppSettings.of(given)
    begin_with = load(folder / "w.safetensors")
    strategy = RecipeStrategy(settings.deployment(found.recipe, folder), begin_with, settings)
    with identified():
        strategy.train(grid)
    return strategy, grid.carried


def test_cohorts_are_drawn_from_the_nodes_and_the_end_is_saved(
    choose: Choose, tmp_path: Path
) -> None:
    into = tmp_path / "new" / "trained.safetensors"
    strategy, carried = trained(choose, tmp_path, save=str(into))
    assert [len(round_) for round_ in carried.rounds] == [3, 3]
    saved = load(into).state
    assert all(leaf.equal(strategy.weights[name]) for name, leaf in saved.items())
    begun = load(tmp_path / "w.safetensors").state
    assert not any(leaf.equal(begun[name]) for name, leaf in saved.items())


def test_a_round_goes_on_with_those_that_answer(
    choose: Choose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="flwr")
    logging.getLogger("flwr").propagate = True
    lost, carried = trained(choose, tmp_path, (1,))
    assert {one.client for round_ in carried.rounds for one in round_} >= {1}
    assert "client of a node that is gone failed: Node Unavailable" in caplog.text
    assert "clients: nothing came from 1" in caplog.text
    whole, _ = trained(choose, tmp_path)
    name = next(iter(whole.weights))
    assert not whole.weights[name].equal(lost.weights[name])


def test_a_round_without_answers_leaves_the_weights(choose: Choose, tmp_path: Path) -> None:
    strategy, _ = trained(choose, tmp_path, (0, 1, 2, 3))
    begun = load(tmp_path / "w.safetensors").state
    assert all(leaf.equal(begun[name]) for name, leaf in strategy.weights.items())


def test_too_few_nodes_are_one_line(choose: Choose, tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"expected 5 nodes that answer, got 4 within 0\.1 s"):
        trained(choose, tmp_path, (), **{"min-nodes": 5})


def test_two_nodes_that_are_one_client_are_refused(choose: Choose, tmp_path: Path) -> None:
    found = choose("sgd")
    settings = AppSettings.of({**CONFIG, "weights": "w"})
    (tmp_path / "w.safetensors").write_bytes(found.content)
    begin_with = load(tmp_path / "w.safetensors")
    strategy = RecipeStrategy(settings.deployment(found.recipe, tmp_path), begin_with, settings)
    app = ClientApp()

    @app.query()
    def number(message: Message, context: Context) -> Message:
        from flwr.app import MetricRecord

        return Message(RecordDict({"work": MetricRecord({"client": 0})}), reply_to=message)

    grid = MemoryGrid(app, 4, 1, {})
    with identified(), pytest.raises(HeadstartError, match="two nodes are client 0; give each"):
        strategy.train(grid)


def test_the_server_of_an_app_is_this_strategy(choose: Choose, tmp_path: Path) -> None:
    strategy, _ = trained(choose, tmp_path)
    into = tmp_path / "trained.safetensors"
    given = {**CONFIG, "weights": str(tmp_path / "w.safetensors"), "save": str(into)}
    grid = MemoryGrid(
        client_app(tmp_path, lambda one: rows_of(tmp_path, int(one.node_config["partition-id"]))),
        4,
        99,
        given,
    )
    with identified():
        server_app(tmp_path)(grid, Context(1, 1, {}, RecordDict(), given))
    saved = load(into).state
    assert all(torch.equal(leaf, strategy.weights[name]) for name, leaf in saved.items())
