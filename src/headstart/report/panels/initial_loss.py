"""Finding 8: a head start need not show in the loss before training."""

from typing import Any

import numpy as np

from headstart.report.figures.axes import frame, percent_axis
from headstart.report.figures.rendering import INK, PAPER, label, style
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast, standing
from headstart.report.words.numbers import Answer, apart, judge, number
from headstart.report.words.table import Table
from headstart.statistics.intervals import paired_difference

SLUG = "initial-loss"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Does {between[1]} begin with the lower loss?" if between else "Where does the loss begin?"
    losses = {start: initial(study, start, "test_loss") for start in study.starts}
    if not all(losses.values()):
        return Missing(SLUG, heading, "an evaluation before the first round, from every start")
    final = {
        s.start: s.best_cell.accuracy if s.best_cell else {} for s in (standing(study, start) for start in study.starts)
    }
    return Panel(
        SLUG,
        heading,
        answer(study, losses),
        f"Left: evaluation loss before the first round, one mark a seed. Right: final {study.measure} with the "
        "start\u2019s best pair. The order on the left need not be the order on the right.",
        lambda figure, wide: draw(figure, wide, study.starts, losses, final, study.measure),
        (0.65 + 0.42 * len(study.starts), 1.35 + 0.7 * len(study.starts)),
        f"round 0 of all runs in the setting {study.base}",
        (table(study, losses),),
    )


def initial(study: Study, start: str, metric: str) -> dict[int, float]:
    """The metric before training by seed, mean over pairs (which all begin at the same weights)."""
    found: dict[int, list[float]] = {}
    for pair in study.pairs():
        for seed, (rounds, values) in study.curves(study.cell(start, pair), metric).items():
            if len(rounds) and rounds[0] == 0:
                found.setdefault(seed, []).append(float(values[0]))
    return {seed: float(np.mean(values)) for seed, values in sorted(found.items())}


def answer(study: Study, losses: dict[str, dict[int, float]]) -> Answer:
    between = contrast(study)
    if between is None:
        start = study.starts[0]
        return Answer(
            None, f"from {start}, the only start, the loss begins at {np.mean(list(losses[start].values())):.2f}."
        )
    reference, other = between
    lower = paired_difference(losses[reference], losses[other], step=0.0)
    if lower is None:
        return Answer("undecided", f"{apart(reference, other)}.")
    means = [float(np.mean(list(losses[start].values()))) for start in between]
    change = paired_difference(losses[other], losses[reference], step=0.0)
    return Answer(
        judge(lower),
        f"before the first round the loss is {means[1]:.2f} from {other} and {means[0]:.2f} from {reference}, "
        f"difference {number(change)}.",
        number(change),
        lower,
        unit="loss",
    )


def table(study: Study, losses: dict[str, dict[int, float]]) -> Table:
    columns: dict[str, list[Any]] = {"start": [], "seed": [], "initial loss": [], "initial accuracy": []}
    for start, by_seed in losses.items():
        accuracy = initial(study, start, "test_accuracy")
        for seed, loss in by_seed.items():
            for name, value in zip(columns, (start, seed, loss, accuracy.get(seed)), strict=True):
                columns[name].append(value)
    return Table(SLUG, "Before the first round", columns, frozenset(("initial accuracy",)))


def draw(figure: Any, wide: bool, starts: tuple[str, ...], losses: Any, final: Any, measure: str) -> None:
    left, right = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
    frame(figure, 1.3 if wide else 0.95, 0.25, 0.12, 0.45, wspace=0.14, hspace=0.75)
    for axes, data, title in ((left, losses, "initial loss"), (right, final, f"final {measure}")):
        for y, start in enumerate(starts):
            colour, _, marker = style(starts, start)
            values = list(data[start].values())
            if not values:
                axes.annotate("diverged", (0.02, y), xycoords=axes.get_yaxis_transform(), color=colour, va="center")
                continue
            axes.plot(
                values, [y] * len(values), marker, ms=6, color=colour, mec=PAPER, mew=0.7, clip_on=False, zorder=3
            )
            axes.plot([np.mean(values)] * 2, [y - 0.3, y + 0.3], color=colour, lw=2)
        axes.set_yticks(range(len(starts)), [label(starts, start, 18 if wide else 13) for start in starts], color=INK)
        axes.set_ylim(len(starts) - 0.45, -0.55)
        axes.grid(axis="x", visible=True)
        axes.set_xlabel(title)
        axes.margins(x=0.08)
    percent_axis(right.xaxis)
