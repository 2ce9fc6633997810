"""Finding 6: do client updates point the same way? The paper's seven panels over rounds, its two
cosines told apart.

Three more settle what the paper and Chen et al. (arXiv 2206.11488) disagree on: local drift, how
far clients spread, and the noise of their mean; `headstart.probes.alignment` defines all of them.
"""

import math

import numpy as np

from headstart.looks.competitors import Pair, family
from headstart.report.figures import over_rounds
from headstart.report.figures.axes import SEEDS_APART, common_rounds
from headstart.report.measures.speed import mean_over_rounds
from headstart.report.panels.base import Answer, Missing, Panel, apart, judge
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import OF_CORRELATIONS, number
from headstart.report.words.remarks import capital
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, paired_difference

SLUG = "alignment"
METRICS = {
    "train_loss": "training loss",
    "train_accuracy": "training accuracy",
    "test_loss": "evaluation loss",
    "test_accuracy": "evaluation accuracy",
    "gradient_diversity": "gradient diversity",
    "cosine_between_clients": "cosine between clients",
    "cosine_over_time": "cosine over time",
    "distance_to_final": "distance to final weights",
    "local_drift": "local drift",
    "client_spread": "spread between clients",
    "aggregate_noise": "noise of the aggregate",
}
ALIGNED = frozenset(list(METRICS)[4:])
"""The metrics of which a study needs one: those before are of every study."""

LAYER = "distance_to_final."
COMPARED = {
    "cosine_between_clients": OF_CORRELATIONS,
    "cosine_over_time": OF_CORRELATIONS,
    "gradient_diversity": math.inf,
}
"""What the sentence tells, and how large its difference can be; the first is judged."""

MEANING = (
    " Local drift: length of a client\u2019s update, root mean square. Spread: distance between "
    "clients\u2019 updates, in standard deviations. Noise: standard error of the cohort\u2019s "
    "mean update, over the length of that mean."
)


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without a probe of alignment."""
    heading = "Do client updates align?"
    if grid.between:
        heading = f"Do client updates align better from {grid.between[1]}?"
    pair = subject(grid)
    if pair is None:
        need = "the probes of alignment (gradient diversity, cosines)"
        return Missing(SLUG, heading, need)
    metrics = recorded(grid, pair)
    rows = -(-len(metrics) // 4)
    meaning = MEANING if "aggregate_noise" in metrics else ""
    return Panel(
        SLUG,
        heading,
        answer(grid, pair),
        f"{method(pair)} in the setting {grid.base}: mean, and the range of the seeds. Cosine "
        "between clients: mean over couples of a cohort; over time: between consecutive "
        "aggregated updates. Gradient diversity: lower is better aligned."
        + meaning
        + (SEEDS_APART if grid.diverged(pair) else ""),
        lambda figure, wide: over_rounds.metrics(figure, wide, grid, pair, metrics),
        (0.75 + 1.75 * rows, 0.75 + 1.5 * -(-len(metrics) // 2)),
        f"{method(pair)} in the setting {grid.base}",
        (table(grid, pair, metrics), *by_layer(grid, pair)),
    )


def recorded(grid: Grid, pair: Pair) -> dict[str, str]:
    """The metrics that were recorded with a pair from every start, with their names."""
    found = {}
    for metric, name in METRICS.items():
        if all(grid.curves(cell, metric) for cell in grid.cells_of(pair)):
            found[metric] = name
    return found


def subject(grid: Grid) -> Pair | None:
    """The pair with most metrics recorded; of equals FedAdam with SGD clients, as in the paper."""

    def preference(pair: Pair) -> tuple[int, bool]:
        kinds = family(pair.client), family(pair.server)
        return len(recorded(grid, pair)), kinds == ("sgd", "adam")

    pair = max(grid.pairs(), key=preference, default=None)
    return pair if pair is not None and ALIGNED & recorded(grid, pair).keys() else None


def difference(grid: Grid, pair: Pair, metric: str, first: str, second: str) -> Estimate | None:
    """How much larger a metric is from the first start than from the second, over the rounds.

    Args:
        grid: the study's cells.
        pair: of which runs.
        metric: what is compared.
        first: a start.
        second: another start.
    """
    minuend = mean_over_rounds(grid, grid.cell(first, pair), metric)
    subtrahend = mean_over_rounds(grid, grid.cell(second, pair), metric)
    return paired_difference(minuend, subtrahend, step=0.0)


def answer(grid: Grid, pair: Pair) -> Answer:
    """Whether updates align better from the other start."""
    if grid.between is None:
        return Answer(None, f"only one start, {grid.starts[0]}, was run.")
    reference, other = grid.between
    said, gains = [], []
    for metric, most in COMPARED.items():
        gain = difference(grid, pair, metric, other, reference)
        gains.append(gain)
        if gain is not None:
            said.append(f"{METRICS[metric]} {number(gain, 3, most=most)}")
    if not said:
        return Answer("undecided", f"{apart(reference, other)}.")
    judged = gains[0]
    return Answer(
        judge(judged),
        f"from {other} against {reference}, mean over rounds: {', '.join(said)} (judged by the "
        f"first).{drift_and_noise(grid, pair, reference, other)}",
        number(judged, 3, most=OF_CORRELATIONS),
        judged,
        unit="cosine",
    )


def drift_and_noise(grid: Grid, pair: Pair, reference: str, other: str) -> str:
    """Whether clients drift less, and whether their mean is less noisy, told apart.

    Empty where that was not measured.
    """
    words = {"yes": "smaller", "no": "larger", "undecided": "not told apart"}
    said = []
    for metric in ("local_drift", "aggregate_noise"):
        less = difference(grid, pair, metric, reference, other)
        if not mean_over_rounds(grid, grid.cell(reference, pair), metric):
            return ""
        if not mean_over_rounds(grid, grid.cell(other, pair), metric):
            return ""
        more = number(difference(grid, pair, metric, other, reference), 3)
        said.append(f"{METRICS[metric]} is {words[judge(less)]} ({more})")
    first, second = said
    return f" {capital(first)} and {second}; Chen et al. expect less noise without less drift."


def table(grid: Grid, pair: Pair, metrics: dict[str, str]) -> Table:
    """A row for each start and round, means over seeds."""
    rows = Rows("start", "round", *metrics.values())
    for start in grid.starts:
        means = [mean_by_round(grid, start, pair, metric) for metric in metrics]
        for at in sorted(set().union(*means)):
            rows.add(start, at, *[mean.get(at) for mean in means])
    shares = [name for metric, name in metrics.items() if metric.endswith("accuracy")]
    return rows.table(SLUG, f"{method(pair)} over rounds, mean over seeds", *shares)


def mean_by_round(grid: Grid, start: str, pair: Pair, metric: str) -> dict[int, float]:
    """The mean of a metric over the seeds, at the rounds that all of them have."""
    curves = list(grid.curves(grid.cell(start, pair), metric).values())
    found = {}
    for at in common_rounds(curves).tolist():
        values = [values[np.searchsorted(rounds, at)] for rounds, values in curves]
        found[at] = float(np.mean(values))
    return found


def by_layer(grid: Grid, pair: Pair) -> tuple[Table, ...]:
    """How far each layer is from its final weights at the start; nothing where unmeasured."""
    metrics: dict[str, None] = {}
    for start in grid.starts:
        metrics |= grid.metrics(grid.cell(start, pair))
    metrics = {metric: None for metric in metrics if metric.startswith(LAYER)}
    rows = Rows("layer", *grid.starts)
    for metric in metrics:
        begins = [at_begin(grid, start, pair, metric) for start in grid.starts]
        rows.add(metric.removeprefix(LAYER), *begins)
    caption = f"distance of each layer from start to end, {method(pair)}, mean over seeds"
    return (rows.table(f"{SLUG}-layers", caption),) if metrics else ()


def at_begin(grid: Grid, start: str, pair: Pair, metric: str) -> float | None:
    """The mean of a metric before the first round, over the seeds that have it."""
    values = []
    for rounds, by_round in grid.curves(grid.cell(start, pair), metric).values():
        if rounds[0] == 0:
            values.append(float(by_round[0]))
    return float(np.mean(values)) if values else None
