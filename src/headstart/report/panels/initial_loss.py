"""Finding 8: a head start need not show in the loss before training."""

import numpy as np

from headstart.report.figures.by_start.values import losses_and_accuracies
from headstart.report.measures.before_training import initial
from headstart.report.panels.base import Answer, Missing, Panel, apart, judge
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import number
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import paired_difference

SLUG = "initial-loss"
Losses = dict[str, dict[int, float]]
"""start -> seed -> the loss before the first round."""


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without an evaluation before the first round."""
    heading = "Where does the loss begin?"
    if grid.between:
        heading = f"Does {grid.between[1]} begin with the lower loss?"
    losses = {start: initial(grid, start, "test_loss") for start in grid.starts}
    if not all(losses.values()):
        need = "an evaluation before the first round, from every start"
        return Missing(SLUG, heading, need)
    final = {}
    for start, standing in grid.standings.items():
        final[start] = standing.best_cell.accuracy if standing.best_cell else {}
    data = grid.starts, losses, final, grid.measure
    return Panel(
        SLUG,
        heading,
        answer(grid, losses),
        "Left: evaluation loss before the first round, one mark a seed. Right: final "
        f"{grid.measure} with the start\u2019s best pair. The order on the left need not be the "
        "order on the right.",
        lambda figure, wide: losses_and_accuracies(figure, wide, *data),
        (0.65 + 0.42 * len(grid.starts), 1.35 + 0.7 * len(grid.starts)),
        f"round 0 of all runs in the setting {grid.base}",
        (table(grid, losses),),
    )


def answer(grid: Grid, losses: Losses) -> Answer:
    """Whether the loss is lower from the other start."""
    means = {start: float(np.mean(list(by_seed.values()))) for start, by_seed in losses.items()}
    if grid.between is None:
        start = grid.starts[0]
        return Answer(None, f"from {start}, the only start, the loss begins at {means[start]:.2f}.")
    reference, other = grid.between
    lower = paired_difference(losses[reference], losses[other], step=0.0)
    if lower is None:
        return Answer("undecided", f"{apart(reference, other)}.")
    change = number(paired_difference(losses[other], losses[reference], step=0.0))
    return Answer(
        judge(lower),
        f"before the first round the loss is {means[other]:.2f} from {other} and "
        f"{means[reference]:.2f} from {reference}, difference {change}.",
        change,
        lower,
        unit="loss",
    )


def table(grid: Grid, losses: Losses) -> Table:
    """A row for each start and seed."""
    rows = Rows("start", "seed", "initial loss", "initial accuracy")
    for start, by_seed in losses.items():
        accuracy = initial(grid, start, "test_accuracy")
        for seed, loss in by_seed.items():
            rows.add(start, seed, loss, accuracy.get(seed))
    return rows.table(SLUG, "Before the first round", "initial accuracy")
