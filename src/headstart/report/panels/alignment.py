"""Finding 6: do client updates point the same way? The paper's seven panels over rounds, its two cosines told apart.

Three more settle what the paper and Chen et al. (arXiv 2206.11488) disagree on: local drift, how far clients spread,
and the noise of their mean; `headstart.probes.alignment` defines all of them.
"""

from typing import Any

import numpy as np

from headstart.report.figures.axes import SEEDS_APART, frame, legend, percent_axis, seed_band
from headstart.report.figures.rendering import style
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import Pair
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import Answer, apart, judge, number
from headstart.report.words.table import Table
from headstart.statistics.intervals import paired_difference

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
LAYER = "distance_to_final."
JUDGED = "cosine_between_clients"
MEANING = (
    " Local drift: length of a client\u2019s update, root mean square. Spread: distance between clients\u2019 updates, "
    "in standard deviations. Noise: standard error of the cohort\u2019s mean update, over the length of that mean."
)


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Do client updates align better from {between[1]}?" if between else "Do client updates align?"
    found = subject(study)
    if found is None:
        return Missing(SLUG, heading, "the probes of alignment (gradient diversity, cosines)")
    pair, metrics = found
    rows = -(-len(metrics) // 4)
    return Panel(
        SLUG,
        heading,
        answer(study, pair),
        f"{pair} in the setting {study.base}: mean, and the range of the seeds. Cosine between clients: mean over "
        "couples of a cohort; over time: between consecutive aggregated updates. Gradient diversity: lower is "
        "better aligned."
        + (MEANING if "aggregate_noise" in metrics else "")
        + (SEEDS_APART if any(study.cell(start, pair).diverged for start in study.starts) else ""),
        lambda figure, wide: draw(figure, wide, study, pair, metrics),
        (0.75 + 1.75 * rows, 0.75 + 1.5 * -(-len(metrics) // 2)),
        f"{pair} in the setting {study.base}",
        (table(study, pair, metrics), *by_layer(study, pair)),
    )


def subject(study: Study) -> tuple[Pair, list[str]] | None:
    """The pair with most metrics recorded from every start; of equals FedAdam with SGD clients, as in the paper."""

    def recorded(pair: Pair) -> list[str]:
        return [m for m in METRICS if all(study.curves(study.cell(start, pair), m) for start in study.starts)]

    def preference(pair: Pair) -> tuple[int, bool]:
        return len(recorded(pair)), (pair.client.split("(")[0], pair.server.split("(")[0].split("@")[0]) == (
            "sgd",
            "adam",
        )

    pair = max(study.pairs(), key=preference, default=None)
    if pair is None or not any(m in recorded(pair) for m in list(METRICS)[4:]):
        return None
    return pair, recorded(pair)


def mean_over_rounds(study: Study, start: str, pair: Pair, metric: str) -> dict[int, float]:
    """By seed, over the evaluated rounds after round 0, which has no update yet."""
    curves = study.curves(study.cell(start, pair), metric)
    return {seed: float(values[rounds > 0].mean()) for seed, (rounds, values) in curves.items() if (rounds > 0).any()}


def answer(study: Study, pair: Pair) -> Answer:
    between = contrast(study)
    if between is None:
        return Answer(None, f"only one start, {study.starts[0]}, was run.")
    gains = {
        m: paired_difference(*(mean_over_rounds(study, start, pair, m) for start in reversed(between)), step=0.0)
        for m in ("cosine_between_clients", "cosine_over_time", "gradient_diversity")
    }
    said = [f"{METRICS[m]} {number(gain, 3)}" for m, gain in gains.items() if gain is not None]
    if not said:
        return Answer("undecided", f"{apart(*between)}.")
    return Answer(
        judge(gains[JUDGED]),
        f"from {between[1]} against {between[0]}, mean over rounds: {', '.join(said)} (judged by the first)."
        + drift_and_noise(study, pair, between),
        number(gains[JUDGED], 3),
        gains[JUDGED],
        unit="cosine",
    )


def drift_and_noise(study: Study, pair: Pair, between: tuple[str, str]) -> str:
    """Whether clients drift less, and whether their mean is less noisy, told apart; empty without these metrics."""
    said = []
    for metric in ("local_drift", "aggregate_noise"):
        random, other = (mean_over_rounds(study, start, pair, metric) for start in between)
        if not random or not other:
            return ""
        found = {"yes": "smaller", "no": "larger", "undecided": "not told apart"}[
            judge(paired_difference(random, other, step=0.0))
        ]
        said.append(f"{METRICS[metric]} is {found} ({number(paired_difference(other, random, step=0.0), 3)})")
    return f" {said[0].capitalize()} and {said[1]}; Chen et al. expect less noise without less drift."


def table(study: Study, pair: Pair, metrics: list[str]) -> Table:
    columns: dict[str, list[Any]] = {"start": [], "round": []} | {METRICS[m]: [] for m in metrics}
    for start in study.starts:
        means: dict[str, dict[int, float]] = {}
        for metric in metrics:
            curves = list(study.curves(study.cell(start, pair), metric).values())
            common = set.intersection(*(set(rounds.tolist()) for rounds, _ in curves))
            means[metric] = {r: float(np.mean([v[np.searchsorted(rounds, r)] for rounds, v in curves])) for r in common}
        for r in sorted(set().union(*means.values())):
            for name, value in zip(columns, (start, r, *(means[m].get(r) for m in metrics)), strict=True):
                columns[name].append(value)
    shown = frozenset(METRICS[m] for m in metrics if m.endswith("accuracy"))
    return Table(SLUG, f"{pair} over rounds, mean over seeds", columns, shown)


def by_layer(study: Study, pair: Pair) -> tuple[Table, ...]:
    """How far each layer is from its final weights before the first round; nothing where it was not measured."""
    runs = {run.run for start in study.starts for run in study.cell(start, pair).runs}
    metrics = dict.fromkeys(m for run, m in study.results.curves if run in runs and m.startswith(LAYER))
    columns: dict[str, list[Any]] = {"layer": [metric.removeprefix(LAYER) for metric in metrics]}
    for start in study.starts:
        curves = [study.curves(study.cell(start, pair), metric).values() for metric in metrics]
        begun = [[float(values[0]) for rounds, values in by_seed if rounds[0] == 0] for by_seed in curves]
        columns[start] = [float(np.mean(values)) if values else None for values in begun]
    caption = f"distance of each layer from start to end, {pair}, mean over seeds"
    return (Table(f"{SLUG}-layers", caption, columns),) if metrics else ()


def draw(figure: Any, wide: bool, study: Study, pair: Pair, metrics: list[str]) -> None:
    columns = 4 if wide else 2
    grid = figure.subplots(-(-len(metrics) // columns), columns, sharex=True, squeeze=False)
    frame(figure, 0.42, 0.08, 0.5 if wide or len(study.starts) < 3 else 0.68, 0.42, hspace=0.36, wspace=0.32)
    legend(figure, study.starts, 0.42)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        for start in study.starts:
            colour, dash, _ = style(study.starts, start)
            cell = study.cell(start, pair)
            seed_band(axes, list(study.curves(cell, metric).values()), colour, dash, cell.diverged > 0)
        axes.set_title(METRICS[metric], fontsize=8.6 if wide else 8)
        axes.locator_params(axis="y", nbins=4)
        if metric.endswith("accuracy"):
            percent_axis(axes.yaxis)
    for axes in grid.flat[len(metrics) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(metrics) - columns) : len(metrics)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("round")
