"""The client's side of an app: what a node does with a message."""

from collections.abc import Callable
from pathlib import Path

import torch
from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from torch import Tensor

from headstart.export.deployment import LARGEST, Deployment, examples
from headstart.export.flower import records
from headstart.export.flower.settings import AppSettings
from headstart.export.recipe import Recipe

LoadData = Callable[[Context], tuple[Tensor, Tensor]]
"""A node's training inputs [N, ...] and targets [N, ...], in an order that stays."""

PARTITION = "partition-id"
"""The entry of a node's configuration that numbers it; without it the node's own id does."""


def number_of(context: Context) -> int:
    """Return the number of a node, from which its batches are drawn."""
    return int(context.node_config.get(PARTITION, context.node_id)) % LARGEST


def client_app(folder: Path, load_data: LoadData) -> ClientApp:
    """Make the client's side of an app.

    Args:
        folder: that of the app, with its recipe.
        load_data: reads a node's own rows.
    """
    app = ClientApp()

    @app.query()
    def number(message: Message, context: Context) -> Message:
        """Say which client this node is."""
        told = MetricRecord({"client": number_of(context)})
        return Message(RecordDict({records.WORK: told}), reply_to=message)

    @app.train()
    def train(message: Message, context: Context) -> Message:
        """Train on this node's rows, and keep what the method has it remember."""
        recipe = Recipe.read(folder)
        deployment = AppSettings.of(context.run_config).deployment(recipe, folder)
        rows = examples(*load_data(context), recipe)
        content = reply(deployment, rows.inputs, rows.targets, message.content, context)
        return Message(content, reply_to=message)

    return app


def reply(
    deployment: Deployment, inputs: Tensor, targets: Tensor, content: RecordDict, context: Context
) -> RecordDict:
    """Do a client's round.

    Args:
        deployment: the recipe, made ready.
        inputs: of the node's rows [N, ...].
        targets: of these [N, ...].
        content: what the server sent.
        context: the node's, in whose state its memory is kept.
    """
    device, client = deployment.network.device, number_of(context)
    rows = examples(inputs, targets, deployment.recipe)
    kept = context.state.array_records
    memory = records.tree(kept[records.MEMORY], device) if records.MEMORY in kept else {}
    with torch.random.fork_rng(devices=[]):
        local = deployment.work(records.sent(content, device), client, rows, memory)
    if local is None:
        return records.from_client(client, len(rows), None, 0.0)
    if local.upload.memory:
        context.state[records.MEMORY] = records.arrays(local.upload.memory)
    loss = float(local.loss / local.predictions.clamp(min=1))
    return records.from_client(client, len(rows), local.upload, loss)
