"""Loss and accuracy of the global model, on held-out data and on a fixed sample of the clients' training data."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

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
        for part, examples in (("test", test), ("train", train)):
            loss, accuracy = evaluate(network, moment.state.x, examples, task.objective, batch)
            metrics |= {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
        if moment.cohort is not None:
            metrics["local_loss"] = float(moment.cohort.local_loss)
        return metrics

    return Probe(measure)


def evaluate(network: Network, x: Tree, examples: Examples, objective: Objective, batch: int) -> tuple[float, float]:
    """Mean loss and accuracy over all that the rows predict, dropout off, summed in float64."""
    sums = torch.zeros(3, dtype=torch.float64, device=network.device)
    x = trees.map_tree(trees.channels_last, x)  # convolutions of many rows run in the layout of their weights
    rows = max(1, batch // max(1, examples.targets[:1].numel()))
    with torch.no_grad():
        for first in range(0, len(examples), rows):
            part = slice(first, first + rows)
            inputs, targets = (column[part].to(network.device) for column in (examples.inputs, examples.targets))
            scores = objective(network(x, inputs), targets)
            sums += torch.stack([column.to(torch.float64).sum() for column in scores])
    loss, correct, count = sums.tolist()
    return loss / max(count, 1.0), correct / max(count, 1.0)
