"""The client side of flower_sim.py: imported once by each Ray actor,
so that it builds network and data once.
"""

import functools

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from jobs import JOBS, Clients
from torch import Tensor, nn
from torch_models import build, loss

app = ClientApp()


@functools.cache
def _network(job_name: str) -> nn.Module:
    torch.set_num_threads(1)  # one actor a core
    return build(JOBS[job_name]).train()


@functools.cache
def _data(job_name: str) -> list[tuple[Tensor, Tensor]]:
    return [
        (torch.from_numpy(inputs), torch.from_numpy(labels))
        for inputs, labels in Clients(JOBS[job_name])
    ]


@app.train()
def train(message: Message, context: Context) -> Message:
    """One local epoch of plain SGD on this node's partition."""
    name = str(message.content["config"]["job"])
    job, network = JOBS[name], _network(name)
    inputs, labels = _data(name)[int(context.node_config["partition-id"])]
    network.load_state_dict(message.content["arrays"].to_torch_state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=job.client_rate)
    for rows in torch.randperm(len(labels)).split(job.batch_size):
        optimizer.zero_grad()
        loss(network(inputs[rows]), labels[rows]).backward()
        optimizer.step()
    content = RecordDict(
        {
            "arrays": ArrayRecord(network.state_dict()),
            "metrics": MetricRecord({"num-examples": len(labels)}),
        }
    )
    return Message(content=content, reply_to=message)
