"""Loss and accuracy of the global model, on held-out data and on a fixed sample of the clients' training data."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from headstart import rng
from headstart.engine.rounds import Federation
from headstart.models.network import Network
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.tasks.base import Examples, Objective
from headstart.trees import Tree


@PROBES.register("evaluation", source="arXiv 2206.15387, Figure 5")
def evaluation(
    federation: Federation,
    *,
    train_rows: Annotated[int, Field(ge=1, description="size of the fixed sample of training rows")] = 400,
    batch: Annotated[int, Field(ge=1, description="predictions evaluated at once: a row, or a token of text")] = 1024,
) -> Probe:
    """test_loss, test_accuracy, train_loss, train_accuracy, and local_loss of the rows trained on in the round."""
    task, network = federation.task, federation.network
    rows = federation.clients.rows
    draw = rng.generator(federation.seed, "train sample")
    chosen = np.sort(draw.choice(rows, min(train_rows, len(rows)), replace=False))
    sample = torch.as_tensor(chosen, device=network.device)
    train = Examples(task.train.inputs[sample], task.train.targets[sample])

    def measure(moment: Moment) -> Metrics:
        metrics: Metrics = {}
        for part, examples in (("test", task.test), ("train", train)):
            loss, accuracy = evaluate(network, moment.state.x, examples, task.objective, batch)
            metrics |= {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
        if moment.cohort is not None:
            metrics["local_loss"] = float(moment.cohort.local_loss)
        return metrics

    return Probe(measure)


def evaluate(network: Network, x: Tree, examples: Examples, objective: Objective, batch: int) -> tuple[float, float]:
    """Mean loss and accuracy over all that the rows predict, dropout off, summed in float64."""
    sums = torch.zeros(3, dtype=torch.float64, device=network.device)
    rows = max(1, batch // max(1, examples.targets[:1].numel()))
    with torch.no_grad():
        for first in range(0, len(examples), rows):
            part = slice(first, first + rows)
            scores = objective(network(x, examples.inputs[part]), examples.targets[part])
            sums += torch.stack([column.to(torch.float64).sum() for column in scores])
    loss, correct, count = sums.tolist()
    return loss / max(count, 1.0), correct / max(count, 1.0)
