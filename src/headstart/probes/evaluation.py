"""Loss and accuracy of the global model, on held-out data and on a fixed sample of the clients' training data."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import rng, trees
from headstart.engine.rounds import Federation
from headstart.kernels.recorded import RecordingError, Traced
from headstart.models.network import Network
from headstart.parts.registry import AddedLater
from headstart.probes.base import PROBES, Found, Metrics, Moment, Probe, Question
from headstart.tasks.base import Examples, Objective, Rows, Scores
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

    def asks(moment: Moment) -> Question:
        def then(found: Found) -> Metrics:
            metrics: Metrics = {}
            for part, (loss, accuracy) in zip(("test", "train"), found, strict=True):
                metrics |= {f"{part}_loss": loss, f"{part}_accuracy": accuracy}
            if moment.cohort is not None:
                metrics["local_loss"] = float(moment.cohort.local_loss)
            return metrics

        test = task.test if moment.previous is None or moment.last else between
        return Question(network, moment.state.x, [test, train], task.objective, batch, then)

    def measure(moment: Moment) -> Metrics:
        asked = asks(moment)
        return asked.then(evaluate(asked.network, asked.x, asked.parts, asked.objective, asked.batch))

    return Probe(measure, asks=asks)


def measure_together(probes: Sequence[Probe], moments: Sequence[Moment | None]) -> list[Metrics]:
    """The metrics of each run whose moment it is (at least one), by its own probe of one kind; none for the others.

    Runs keep their places, and one that has no moment is asked about another's: what comes of a run depends on its
    place and on how many there are, not on what is in the others.
    """
    some = next(moment for moment in moments if moment is not None)
    questions = [
        probe.asks(moment or some) for probe, moment in zip(probes, moments, strict=True) if probe.asks is not None
    ]
    if len(questions) == len(probes) > 1 and _are_small(questions):
        with suppress(RecordingError):
            found = _evaluate_together(questions)
            return [
                {} if moment is None else question.then(of_run)
                for moment, question, of_run in zip(moments, questions, found, strict=True)
            ]
    return [{} if moment is None else probe.measure(moment) for probe, moment in zip(probes, moments, strict=True)]


def _are_small(questions: Sequence[Question]) -> bool:
    """Whether they are of a network whose time goes into starting operations: matrix products of one batch of rows.

    Convolutions of several runs at once would be slower than one after another.
    """
    first = questions[0]
    return (
        all(leaf.ndim <= 2 for leaf in first.x.values())
        and all(
            [part.inputs.shape for part in q.parts] == [part.inputs.shape for part in first.parts] for q in questions
        )
        and sum(map(len, first.parts)) <= _rows_of(first.parts, first.batch)
    )


def _evaluate_together(questions: Sequence[Question]) -> list[Found]:
    first = questions[0]
    x = {name: torch.stack([question.x[name] for question in questions]) for name in first.x}
    inputs, targets = (
        torch.stack([torch.cat([getattr(part, name) for part in question.parts]) for question in questions])
        for name in ("inputs", "targets")
    )
    with torch.no_grad():
        (scores,) = _recorded(first.network, first.objective)(x, inputs, targets)
        of_parts = [one.sum(-1) for one in torch.split(scores, [len(part) for part in first.parts], -1)]
        return [_means(of_run) for of_run in torch.stack(of_parts, 1).tolist()]


@lru_cache(maxsize=4)
def _recorded(network: Network, objective: Objective) -> Traced:
    """(x_R, inputs, targets) -> loss, correct and count of each row of each run, [R, 3, B]."""

    def scores(x: Tree, inputs: Tensor, targets: Tensor) -> Tensor:
        return _scores(objective(network(x, inputs), targets))

    return Traced(lambda *of_runs: (torch.func.vmap(scores)(*of_runs),))


def evaluate(network: Network, x: Tree, parts: Sequence[Examples], objective: Objective, batch: int) -> Found:
    """Mean loss and accuracy of each part over all that its rows predict, dropout off, summed in float64.

    Parts that fit in one batch are one: the time of a small network goes into starting operations.
    """
    x = trees.map_tree(trees.channels_last, x)  # convolutions of many rows run in the layout of their weights
    rows = _rows_of(parts, batch)

    def scores(inputs: Tensor, targets: Tensor) -> Tensor:
        """Loss, correct and count of each row [3, B]."""
        targets = targets.to(network.device)
        return _scores(objective(network(x, inputs.to(network.device)), targets))

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
        return _means(torch.stack(of_parts).tolist())


def _rows_of(parts: Sequence[Examples], batch: int) -> int:
    """Of a batch of so many predictions."""
    return max(1, batch // max(1, parts[0].targets[:1].numel()))


def _scores(found: Scores) -> Tensor:
    return torch.stack([column.to(torch.float64) for column in found])


def _means(sums: Sequence[tuple[float, float, float]]) -> Found:
    return [(loss / max(count, 1.0), correct / max(count, 1.0)) for loss, correct, count in sums]
