"""A node trains on its own rows, and keeps what its method remembers."""

from pathlib import Path

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

import torch
from flwr.app import Context, Message, RecordDict
from safetensors.torch import load

from headstart.export.deployment import Deployment
from headstart.export.flower import records
from headstart.export.flower.client import client_app, number_of, reply
from headstart.export.flower.memory_grid import identified
from headstart.export.recipe import FILE
from headstart.export.study_rows import rows_of

from ..conftest import Choose


def context(**node: int) -> Context:
    config = {"rounds": 3, "weights": "w", "cohorts": "plan"}
    return Context(
        1, 2**63 + 5, {name.replace("_", "-"): n for name, n in node.items()}, RecordDict(), config
    )


def test_a_client_is_numbered_by_its_partition_or_its_node() -> None:
    assert number_of(context(partition_id=3)) == 3
    assert number_of(context()) == 5


def test_memory_stays_in_the_context(choose: Choose, tmp_path: Path) -> None:
    found = choose("scaffold")
    (tmp_path / FILE).write_text(found.recipe.text())
    deployment, node = Deployment.of(found.recipe, tmp_path), context(partition_id=1)
    state = deployment.begin(load(found.content))
    content = records.to_client(deployment.sent(state, {}))
    rows = rows_of(tmp_path, 1)
    first = reply(deployment, *rows, content, node)
    kept = records.tree(node.state.array_records["memory"], torch.device("cpu"))
    message = records.tree(first.array_records["message"], torch.device("cpu"))
    assert all(leaf.equal(message[name]) for name, leaf in kept.items())  # c_i was zero
    second = reply(deployment, *rows, content, node)
    again = reply(deployment, *rows, content, context(partition_id=1))
    update = [
        records.tree(one.array_records["update"], torch.device("cpu"))
        for one in (first, second, again)
    ]
    name = next(iter(kept))
    assert update[0][name].equal(update[2][name])
    assert not update[0][name].equal(update[1][name])


def test_an_app_answers_who_it_is_and_trains(choose: Choose, tmp_path: Path) -> None:
    found = choose("sgd")
    (tmp_path / FILE).write_text(found.recipe.text())
    app = client_app(tmp_path, lambda context: rows_of(tmp_path, 2))
    deployment = Deployment.of(found.recipe, tmp_path)
    sent = records.to_client(deployment.sent(deployment.begin(load(found.content)), {}))
    with identified():
        asked = Message(RecordDict(), dst_node_id=7, message_type="query")
        told = app(asked, context(partition_id=2)).content
        assert told.metric_records["work"]["client"] == 2
        asked = Message(sent, dst_node_id=7, message_type="train")
        work = app(asked, context(partition_id=2)).content.metric_records["work"]
    assert work["rows"] == len(rows_of(tmp_path, 2)[1])
    assert 0 < float(work["loss"]) < 20
