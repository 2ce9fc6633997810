"""Loss and accuracy of the global model, on held-out data and on a fixed sample of the clients'
training data.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import rng, trees
from headstart.engine.federation import Federation
from headstart.kernels.recorded import RecordingError, Traced
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.probes.base import PROBES, Found, Metrics, Moment, Probe, Question
from headstart.tasks.base import Examples, Objective, Rows, Scores
from headstart.trees import Tree


@PROBES.register("evaluation", source="arXiv 2206.15387, Figure 5")
def evaluation(
    federation: Federation,
    *,
    train_rows: Annotated[
        int, Field(ge=1, description="size of the fixed sample of training rows")
    ] = 400,
    batch: Annotated[
        int, Field(ge=1, description="predictions evaluated at once: a row, or a token of text")
    ] = 1024,
    test_rows: Annotated[
        int,
        AddedLater(),
        Field(
            ge=0,
            description="size of a fixed sample of test rows between the first and the last round; "
            "0 for all",
        ),
    ] = 0,
) -> Probe:
    """test_loss, test_accuracy, train_loss, train_accuracy, and local_loss of the rows trained on
    in the round.

    Where testing costs more than training, `test_rows` thins the curve; where it begins and ends,
    all test rows count.
    """
    task, network = federation.task, federation.network

    def sample(examples: Examples, rows: Rows, size: int, purpose: str) -> Examples:
        draw = rng.generator(federation.seed, purpose)
        chosen = np.sort(draw.choice(rows, min(size, len(rows)), replace=False))
        places = torch.as_tensor(chosen)
        return Examples(examples.inputs[places], examples.targets[places]).to(network.device)

    train = sample(task.train, federation.clients.rows, train_rows, "train sample")
    between = (
        sample(task.test, np.arange(len(task.test)), test_rows, "test sample")
        if test_rows
        else task.test
    )

    def asks(moment: Moment) -> Question:
        def then(found: Found) -> Metrics:
            metrics: Metrics = {}
            for split, (loss, accuracy) in zip(("test", "train"), found, strict=True):
                metrics |= {f"{split}_loss": loss, f"{split}_accuracy": accuracy}
            if moment.cohort is not None:
                metrics["local_loss"] = float(moment.cohort.local_loss)
            return metrics

        test = task.test if moment.previous is None or moment.last else between
        return Question(network, moment.state.x, [test, train], task.objective, batch, then)

    def measure(moment: Moment) -> Metrics:
        asked = asks(moment)
        return asked.then(
            evaluate(asked.network, asked.x, asked.splits, asked.objective, asked.batch)
        )

    return Probe(measure, asks=asks)


def measure(probes: Sequence[Probe], moments: Mapping[int, Moment]) -> dict[int, Metrics]:
    """Return the metrics of the runs whose moment it is, by their places.

    Where the probes do no more than evaluate, and networks are small, all are evaluated at once; a
    run that has no moment is then asked about another's. So what comes of a run depends on its
    place and on how many there are, not on what is in the others.

    Args:
        probes: those of one kind, one for each place.
        moments: what is measured, by places.
    """
    if not moments:
        return {}
    some = next(iter(moments.values()))
    questions = [
        probe.asks(moments.get(i, some)) for i, probe in enumerate(probes) if probe.asks is not None
    ]
    if len(questions) == len(probes) > 1 and _are_small(questions):
        with suppress(RecordingError):
            found = _evaluate_together(questions)
            return {i: questions[i].then(found[i]) for i in moments}
    return {i: probes[i].measure(moment) for i, moment in moments.items()}


def _are_small(questions: Sequence[Question]) -> bool:
    """Whether they are of a network whose time goes into starting operations: matrix products of
    one batch of rows.

    Convolutions of several runs at once would be slower than one after another.
    """
    first = questions[0]
    if any(_shapes(question) != _shapes(first) for question in questions):
        return False
    if any(leaf.ndim > 2 for leaf in first.x.values()):
        return False
    return sum(map(len, first.splits)) <= first.splits[0].rows_of(first.batch)


def _shapes(question: Question) -> list[torch.Size]:
    return [rows.inputs.shape for rows in question.splits]


def _evaluate_together(questions: Sequence[Question]) -> list[Found]:
    first = questions[0]
    x, inputs, targets = [], [], []
    for question in questions:
        rows = Examples.joined(question.splits)
        x.append(question.x)
        inputs.append(rows.inputs)
        targets.append(rows.targets)
    rows_of_runs = torch.stack(inputs), torch.stack(targets)
    with torch.no_grad():
        (scores,) = _recorded(first.network, first.objective)(trees.stack(x), *rows_of_runs)
        of_runs = torch.stack(_by_split(scores, first.splits), 1).tolist()
        return list(map(_means, of_runs))


def _by_split(scores: Tensor, splits: Sequence[Examples]) -> list[Tensor]:
    """The sums [..., 3] of each split over the scores [..., 3, B] of the rows of all."""
    return [one.sum(-1) for one in torch.split(scores, list(map(len, splits)), -1)]


@lru_cache(maxsize=4)
def _recorded(network: Network, objective: Objective) -> Traced:
    """Return (x_R, inputs, targets) -> (loss, correct and count of each row of each run [R, 3,
    B],).
    """

    def scores(x: Tree, inputs: Tensor, targets: Tensor) -> Tensor:
        return _scores(objective(network(x, inputs), targets))

    return Traced(lambda *of_runs: (torch.func.vmap(scores)(*of_runs),))


def evaluate(
    network: Network, x: Tree, splits: Sequence[Examples], objective: Objective, batch: int
) -> Found:
    """Return the mean loss and accuracy of each split over all that its rows predict, dropout off,
    summed in float64.

    Splits that fit in one batch are one: the time of a small network goes into starting operations.

    Args:
        network: the model as a function of its parameters.
        x: weights.
        splits: rows of each, or a sample, which may lie elsewhere than on the network's device.
        objective: the task's loss and accuracy.
        batch: predictions that are computed at once.
    """
    # Convolutions of many rows run in the layout of their weights.
    x = trees.map_tree(trees.channels_last, x)

    def scores(inputs: Tensor, targets: Tensor) -> Tensor:
        """Loss, correct and count of each row [3, B]."""
        targets = targets.to(network.device)
        return _scores(objective(network(x, inputs.to(network.device)), targets))

    def sums(split: Examples) -> Tensor:
        return torch.stack([scores(*one).sum(-1) for one in split.batches(batch)]).sum(0)

    with torch.no_grad():
        if sum(map(len, splits)) <= splits[0].rows_of(batch):
            rows_of_all = Examples.joined(splits)
            of_splits = _by_split(scores(rows_of_all.inputs, rows_of_all.targets), splits)
        else:
            of_splits = list(map(sums, splits))
        return _means(torch.stack(of_splits).tolist())


def _scores(found: Scores) -> Tensor:
    return torch.stack([column.to(torch.float64) for column in found])


def _means(sums: Sequence[tuple[float, float, float]]) -> Found:
    return [(loss / max(count, 1.0), correct / max(count, 1.0)) for loss, correct, count in sums]
