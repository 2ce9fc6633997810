"""What messages carry, as Flower's records: trees as arrays by name, numbers beside them."""

import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict

from headstart.clients.base import Upload
from headstart.export.deployment import Contribution, Sent
from headstart.export.exchanges import MESSAGE, UPDATE
from headstart.trees import Tree

X, SHARED, HELD, ROUND = "x", "shared", "held", "round"
"""The records of a message to a client."""

WORK = "work"
"""The record of its reply that always is there, beside `UPDATE` and `MESSAGE`."""

MEMORY = "memory"
"""What a client keeps, in the state of its context."""


def arrays(tree: Tree) -> ArrayRecord:
    """Return a tree as a record."""
    return ArrayRecord({name: Array(leaf.detach().cpu().numpy()) for name, leaf in tree.items()})


def tree(record: ArrayRecord, device: torch.device) -> Tree:
    """Return a record as a tree on a device."""
    leaves: Tree = {}
    for name, array in record.items():
        leaves[name] = torch.from_numpy(array.numpy().copy()).to(device)
    return leaves


def to_client(sent: Sent) -> RecordDict:
    """Return what a client is sent; empty trees are left out."""
    numbers = ConfigRecord({"round": sent.round, "rate": sent.rate})
    records = RecordDict({X: arrays(sent.x), ROUND: numbers})
    for name, part in ((SHARED, sent.shared), (HELD, sent.held)):
        if part:
            records[name] = arrays(part)
    return records


def sent(records: RecordDict, device: torch.device) -> Sent:
    """Return what a message of `to_client` says."""
    found = records.array_records
    shared, held = (tree(found[name], device) if name in found else {} for name in (SHARED, HELD))
    numbers = records.config_records[ROUND]
    x, rate = tree(found[X], device), float(numbers["rate"])
    return Sent(int(numbers["round"]), x, shared, held, rate)


def from_client(client: int, rows: int, upload: Upload | None, loss: float) -> RecordDict:
    """Return a client's reply.

    Args:
        client: its number.
        rows: how many it has.
        upload: what its round came to; None where it did no step.
        loss: the mean loss of its steps.
    """
    if upload is None:
        return RecordDict({WORK: MetricRecord({"client": client, "rows": rows, "reports": 0})})
    work = MetricRecord({"client": client, "rows": rows, "reports": 1, "loss": loss})
    records = RecordDict({UPDATE: arrays(upload.update), WORK: work})
    if upload.message:
        records[MESSAGE] = arrays(upload.message)
    return records


def answer(records: RecordDict, device: torch.device) -> Contribution | None:
    """Return what a reply of `from_client` says; None of a client that did no step."""
    work = records.metric_records[WORK]
    if not work["reports"]:
        return None
    found = records.array_records
    message = tree(found[MESSAGE], device) if MESSAGE in found else {}
    upload = Upload(tree(found[UPDATE], device), message, {})
    return Contribution(int(work["client"]), int(work["rows"]), upload)
