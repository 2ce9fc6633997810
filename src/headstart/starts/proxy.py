"""Weights pre-trained by the server on data of its own: a proxy task with the same inputs and outputs.

The paper's second recommendation (Nguyen et al., arXiv 2206.15387, section 6): ask whether proxy data for
pre-training exists before fighting heterogeneity.
"""

from collections.abc import Iterator
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from headstart import rng
from headstart.errors import HeadstartError
from headstart.models.dropout import step_key
from headstart.models.network import Network
from headstart.starts.base import STARTS, Start
from headstart.tasks.base import TASKS, Task
from headstart.trees import Tree


@STARTS.register("proxy", source="Nguyen et al., arXiv 2206.15387, section 6 (proxy data on the server)")
def proxy(
    *,
    task: Annotated[
        str, Field(description="the task to pre-train on, with parameters in brackets")
    ] = "rendered-digits",
    epochs: Annotated[int, Field(ge=1, description="passes over the proxy's training rows")] = 10,
    batch_size: Annotated[int, Field(ge=1, description="rows a step; a last, smaller batch is used too")] = 64,
    rate: Annotated[float, Field(gt=0, description="Adam's rate at its peak")] = 0.002,
    seed: Annotated[int, Field(ge=0, description="of the first weights, the order of rows and dropout")] = 0,
) -> Start:
    """Pre-train centrally on another task, such as data that the server can make itself.

    Adam as torch.optim has it (betas .9 and .999, epsilon 1e-8, no weight decay), with a rate that falls to zero
    along half a cosine (arXiv 1608.03983, Eq. 5). Only the training part of the proxy is used, and nothing of the
    task itself. The weights are the same for every seed of a run: they are one artefact that a team has in hand.
    """
    source = TASKS.component(task, "start proxy.task")

    def weights(network: Network, target: Task, _seed: int) -> Tree:
        data = TASKS.build(source)
        _refuse_misfit(data, target)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums in another order round differently: one artefact, whatever the machine's cores
        try:
            return _pretrained(network, data, epochs, batch_size, rate, seed)
        finally:
            torch.set_num_threads(threads)

    return Start(weights, seeded=False)


def _pretrained(network: Network, data: Task, epochs: int, batch_size: int, rate: float, seed: int) -> Tree:
    params = {name: leaf.requires_grad_() for name, leaf in network.initial(rng.key(seed, "proxy")).items()}
    steps = epochs * -(-len(data.train) // batch_size)
    optimizer = torch.optim.Adam(params.values(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    key = torch.tensor(rng.key(seed, "proxy", "dropout"), dtype=torch.int32)
    for step, rows in enumerate(_batches(len(data.train), epochs, batch_size, seed)):
        outputs = network(params, data.train.inputs[rows], step_key(key, step))
        scores = data.objective(outputs, data.train.targets[rows])
        optimizer.zero_grad()
        (scores.loss_B.sum() / scores.count_B.sum().clamp(min=1)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return {name: leaf.detach() for name, leaf in params.items()}


def _batches(rows: int, epochs: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    for epoch in range(epochs):
        order = torch.from_numpy(rng.generator(seed, "proxy", "order", epoch).permutation(rows))
        for first in range(0, rows, batch_size):
            yield order[first : first + batch_size]


def _refuse_misfit(data: Task, target: Task) -> None:
    if data.input_shape != target.input_shape:
        raise HeadstartError(
            f"the proxy task {data.name!r} has inputs of shape {list(data.input_shape)}, "
            f"but task {target.name!r} has {list(target.input_shape)}; choose a proxy with the same inputs"
        )
    if data.tokens != target.tokens:
        raise HeadstartError(
            f"the proxy task {data.name!r} has other tokens than task {target.name!r}; "
            "make it like that one, with the same parameters: wikitext-2(like='...')"
        )
    if data.outputs != target.outputs:
        raise HeadstartError(
            f"the proxy task {data.name!r} has {data.outputs} outputs, "
            f"but task {target.name!r} has {target.outputs}; choose a proxy with the same classes"
        )
