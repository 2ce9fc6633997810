"""Loss and accuracy of the global model, on held-out data and on a fixed sample of the clients' training data."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import rng, trees
from headstart.engine.rounds import Federation
from headstart.models.network import Network
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.registry import AddedLater
from headstart.tasks.base import Examples, Objective, Rows
from headstart.trees import Tree


@PROBES.register("evaluation", source="arXiv 2206.15387, Figure 5")
def evaluation(
    federation: Federation,
    *,
    train_rows: Annotated[int, Field(ge=1, description="size of the fixed sample of training rows")] = 400,
    batch: Annotated[int, Field(ge=1, description="predictions evaluated at once: a row, or a token of text")] = 1024,
    test_rows: Annotated[
        int,
        AddedLater(),
        Field(ge=0, description="size of a fixed sample of test rows, between the first and the last round; 0 for all"),
    ] = 0,
) -> Probe:
    """test_loss, test_accuracy, train_loss, train_accuracy, and local_loss of the rows trained on in the round.

    Where testing costs more than training, `test_rows` thins the curve; where it begins and ends, all test rows count.
    """
    task, network = federation.task, federation.network

    def sample(examples: Examples, rows: Rows, size: int, purpose: str) -> Examples:
        draw = rng.generator(federation.seed, purpose)
        chosen = np.sort(draw.choice(rows, min(size, len(rows)), replace=False))
        places = torch.as_tensor(chosen)
        return Examples(examples.inputs[places], examples.targets[places]).to(network.device)

    train = sample(task.train, federation.clients.rows, train_rows, "train sample")
    between = sample(task.test, np.arange(len(task.test)), test_rows, "test sample") if test_rows else task.test

    def measure(moment: Moment) -> Metrics:
        metrics: Metrics = {}
        test = task.test if moment.previous is None or moment.last else between
        found = evaluate(network, moment.state.x, [test, train], task.objective, batch)
        for part, (loss, accuracy) in zip(("test", "train"), found, strict=True):
            metrics |= {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
        if moment.cohort is not None:
            metrics["local_loss"] = float(moment.cohort.local_loss)
        return metrics

    return Probe(measure)


def evaluate(
    network: Network, x: Tree, parts: Sequence[Examples], objective: Objective, batch: int
) -> list[tuple[float, float]]:
    """Mean loss and accuracy of each part over all that its rows predict, dropout off, summed in float64.

    Parts that fit in one batch are one: the time of a small network goes into starting operations.
    """
    x = trees.map_tree(trees.channels_last, x)  # convolutions of many rows run in the layout of their weights
    rows = max(1, batch // max(1, parts[0].targets[:1].numel()))

    def scores(inputs: Tensor, targets: Tensor) -> Tensor:
        """Loss, correct and count of each row [3, B]."""
        targets = targets.to(network.device)
        found = objective(network(x, inputs.to(network.device)), targets)
        return torch.stack([column.to(torch.float64) for column in found])

    def sums(part: Examples) -> Tensor:
        batches = zip(torch.split(part.inputs, rows), torch.split(part.targets, rows), strict=True)
        return torch.stack([scores(*one).sum(-1) for one in batches]).sum(0)

    with torch.no_grad():
        sizes = [len(part) for part in parts]
        if sum(sizes) <= rows:
            inputs, targets = (torch.cat([getattr(part, name) for part in parts]) for name in ("inputs", "targets"))
            of_parts = [one.sum(-1) for one in torch.split(scores(inputs, targets), sizes, -1)]
        else:
            of_parts = [sums(part) for part in parts]
        found = torch.stack(of_parts).tolist()
    return [(loss / max(count, 1.0), correct / max(count, 1.0)) for loss, correct, count in found]
