"""What training is held against: the table and the sentence."""

from collections.abc import Mapping

import numpy as np

from headstart.report.measures import baselines
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import percent
from headstart.report.words.table import Rows, Table
from headstart.tables import BaselineRow
from headstart.wording.phrases import listed


def table(grid: Grid) -> Table | None:
    """A row for each answer that needs no training, each start before it, and its best pair after.

    None where the study has no constant answer.
    """
    constant = baselines.constant(grid)
    if constant is None:
        return None
    rows = Rows("what", "accuracy", "loss")
    rows.add(
        f"constant answer: {constant.answer} ({constant.rule})", constant.accuracy, constant.loss
    )
    chance = baselines.chance(grid)
    if chance is not None:
        rows.add("chance", chance.accuracy, chance.loss)
    for start in grid.starts:
        accuracy = _mean(baselines.untrained_accuracy(grid, start))
        rows.add(f"{start}, untrained", accuracy, _mean(baselines.untrained_loss(grid, start)))
    for start, standing in grid.standings.items():
        best = standing.best_cell
        if best is not None:
            loss = {run.seed: run.test_loss for run in best.runs if run.test_loss is not None}
            rows.add(f"{start}, {best.pair}", best.mean, _mean(loss))
    return rows.table("baselines", "What training is held against, means over seeds", "accuracy")


def told(grid: Grid) -> str:
    """The same in a sentence; empty where the study has no constant answer."""
    constant = baselines.constant(grid)
    if constant is None or constant.accuracy is None:
        return ""
    said = [f"{answer(constant)} has a {grid.measure} of {percent(constant.accuracy)}"]
    chance = baselines.chance(grid)
    if chance is not None:
        said.append(f"a guess has {percent(chance.accuracy)}")
    untrained = []
    for start in grid.starts:
        accuracy = _mean(baselines.untrained_accuracy(grid, start))
        if accuracy is not None:
            untrained.append(f"{percent(accuracy)} from {start}")
    if untrained:
        said.append(f"a model that was not trained has {listed(untrained)}")
    return f"{'; '.join(said)}."


def answer(constant: BaselineRow) -> str:
    """The constant answer as the subject of a sentence."""
    if constant.rule == "mean":
        return f"Always answering the mean of the training rows ({constant.answer})"
    what = "token" if constant.rule == "unigram" else "class"
    most = f"the most frequent {what} of the training rows"
    return f"Always answering \u201c{constant.answer}\u201d, {most},"


def _mean(by_seed: Mapping[int, float]) -> float | None:
    return float(np.mean(list(by_seed.values()))) if by_seed else None
