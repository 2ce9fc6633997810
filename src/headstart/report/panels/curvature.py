"""Finding 5: is the loss surface flatter where training begins? The largest eigenvalue of the Hessian, by start.

Starts are compared by the ratio of their eigenvalues: logarithms are differenced by seed, and the interval is Student's
t of these differences, taken back to ratios. Where a value is not positive, differences are judged.
"""

import math
from typing import Any

import numpy as np

from headstart.report.figures.axes import frame, legend
from headstart.report.figures.rendering import INK, MUTED, PAPER, label, style
from headstart.report.panels.base import Missing, Panel
from headstart.report.panels.initial_loss import initial
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import Answer, apart, count, judge, listed, no_interval, number, size
from headstart.report.words.table import Table
from headstart.statistics.intervals import Estimate, paired_difference

SLUG, METRIC = "curvature", "hessian_top_1"
PAPERS = {
    "CIFAR-10": (4843.13, 661.99),
    "FEMNIST": (355.51, 26.29),
    "Stack Overflow": (185.02, 151.05),
    "Reddit": (1309.68, 647.19),
}
"""arXiv 2206.15387: the top eigenvalue at the start of training, from random and from pre-trained weights."""

BySeed = dict[int, float]
Spectra = dict[str, tuple[BySeed, BySeed]]
"""start -> the top eigenvalue by seed, before the first round and after the last (empty where it was not measured)."""


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Is the loss flatter where {between[1]} begins?" if between else "How sharply does the loss bend?"
    spectra = {start: (initial(study, start, METRIC), final(study, start)) for start in study.starts}
    if not all(before for before, _ in spectra.values()):
        return Missing(SLUG, heading, "the probe curvature before the first round, from every start")
    marks = " Hollow: before the first round. Filled: after the last, mean over pairs." if _has_end(spectra) else ""
    versus = (
        f"Beside it, how many times larger it is from {between[0]} than from {between[1]}, with its interval; the "
        "paper\u2019s ratios are of its own tasks and models and have none."
        if between
        else ""
    )
    return Panel(
        SLUG,
        heading,
        answer(study, spectra),
        f"The largest eigenvalue of the Hessian of the training loss on a fixed sample, one mark a seed, with the "
        f"geometric mean.{marks} "
        f"{versus}{accuracy(study)}",
        lambda figure, wide: draw(figure, wide, study, spectra),
        (1.0 + max(0.42 * len(study.starts), 1.35), 1.6 + 0.42 * len(study.starts) + (1.6 if between else 0)),
        f"all runs in the setting {study.base}",
        (table(study, spectra), *((ratios(study, spectra),) if between else ())),
    )


def final(study: Study, start: str) -> BySeed:
    """The eigenvalue after the last round by seed, mean over the pairs whose run of this seed finished."""
    found: dict[int, list[float]] = {}
    for pair in study.pairs():
        cell = study.cell(start, pair)
        last = {run.seed: run.rounds for run in cell.runs if run.finished}
        for seed, (rounds, values) in study.curves(cell, METRIC).items():
            if len(rounds) and rounds[-1] > 0 and rounds[-1] == last.get(seed):
                found.setdefault(seed, []).append(float(values[-1]))
    return {seed: float(np.mean(values)) for seed, values in sorted(found.items())}


def _has_end(spectra: Spectra) -> bool:
    return all(after for _, after in spectra.values())


def accuracy(study: Study) -> str:
    """How well the measurements converged, in words."""
    cells = [study.cell(start, pair) for start in study.starts for pair in study.pairs()]
    residuals = [v for c in cells for _, values in study.curves(c, "hessian_residual").values() for v in values]
    converged = [v for c in cells for _, values in study.curves(c, "hessian_converged").values() for v in values]
    if not residuals:
        return ""
    failed = sum(value < 1 for value in converged)
    said = f" Relative residual at most {max(residuals):.1g}"
    return f"{said}; {failed} of {count(len(converged), 'measurement')} did not converge." if failed else f"{said}."


def ratio(larger: BySeed, smaller: BySeed) -> Estimate | None:
    """The difference of logarithms by seed; None where an eigenvalue is not positive or no seed is common."""
    if any(value <= 0 for by_seed in (larger, smaller) for value in by_seed.values()):
        return None
    return paired_difference(*({s: math.log(v) for s, v in by_seed.items()} for by_seed in (larger, smaller)), step=0.0)


def times(e: Estimate, unit: str = "") -> str:
    """A ratio with its interval, from logarithms.

    >>> times(Estimate(math.log(7.32), math.log(5.0), math.log(1070.0), 3)), times(Estimate(0.0, None, None, 1))
    ('7.3 [5.0, 1,070]', '1.0 (one seed)')
    """
    interval = f" ({no_interval(e)})" if e.low is None or e.high is None else f" [{_factor(e.low)}, {_factor(e.high)}]"
    return f"{_factor(e.value)}{unit}{interval}"


def _factor(logarithm: float) -> str:
    value = math.exp(min(logarithm, 700.0))
    return f"{value:.2g}" if value < 1 else f"{value:.1f}" if value < 100 else size(value)


def answer(study: Study, spectra: Spectra) -> Answer:
    between = contrast(study)
    if between is None:
        start = study.starts[0]
        return Answer(None, f"from {start}, the only start, it is {size(_mean(spectra[start][0]))} before training.")
    reference, other = between
    said, units = [], []
    judged: list[Estimate | None] = []
    short = ""
    for when, words in enumerate(("before the first round", "after the last")):
        here, there = spectra[reference][when], spectra[other][when]
        if not here or not there:
            continue
        if not here.keys() & there.keys():
            return Answer("undecided", f"{apart(reference, other)}.")
        logs = ratio(here, there)
        judged.append(logs or paired_difference(here, there, step=0.0))
        units.append("logarithm of the ratio" if logs else "eigenvalue")
        found = f"ratio {times(logs)}" if logs else f"difference {number(judged[-1])}, no ratio of what is not positive"
        short = short or (times(logs, " times") if logs else number(judged[-1]))
        what = "the largest eigenvalue is " if not when else ""
        said.append(
            f"{words} {what}{size(_mean(here))} from {reference} and {size(_mean(there))} from {other}, {found}"
        )
    paper = listed(f"{before / after:.1f} ({task})" for task, (before, after) in PAPERS.items())
    return Answer(
        judge(judged[0]),
        f"{'; '.join(said)} (judged by the first). The paper\u2019s ratios: {paper}.",
        short,
        judged[0],
        unit=units[0],
    )


def _mean(by_seed: BySeed) -> float:
    """The geometric mean, so that a ratio of means is the mean of the ratios; where it has none, the arithmetic one."""
    values = np.array(list(by_seed.values()))
    return float(np.exp(np.log(values).mean()) if (values > 0).all() else values.mean())


def table(study: Study, spectra: Spectra) -> Table:
    """One row for each start and seed; the trace and what belongs to the solver are those before the first round."""
    names = {
        "trace": "hessian_trace",
        "standard error of the trace": "hessian_trace_error",
        "residual": "hessian_residual",
        "products": "hessian_products",
    }
    columns: dict[str, list[Any]] = {"start": [], "seed": [], "before": [], "after": []} | {name: [] for name in names}
    for start, (before, after) in spectra.items():
        more = {name: initial(study, start, metric) for name, metric in names.items()}
        for seed, value in before.items():
            row = (start, seed, value, after.get(seed), *(found.get(seed) for found in more.values()))
            for column, item in zip(columns.values(), row, strict=True):
                column.append(item)
    return Table(SLUG, "the largest eigenvalue before the first round and after the last", columns)


def ratios(study: Study, spectra: Spectra) -> Table:
    """Here and in the paper: how many times larger the eigenvalue is from the first start."""
    between = contrast(study)
    assert between is not None
    columns: dict[str, list[Any]] = {
        name: [] for name in ("where", "first start", "other start", "ratio", "low", "high")
    }
    for when, words in enumerate(("here, before the first round", "here, after the last")):
        here, there = (spectra[start][when] for start in between)
        if here and there:
            logs = ratio(here, there)
            three = (
                [None if v is None else math.exp(v) for v in (logs.value, logs.low, logs.high)] if logs else [None] * 3
            )
            for column, item in zip(columns.values(), (words, _mean(here), _mean(there), *three), strict=True):
                column.append(item)
    for task, (before, after) in PAPERS.items():
        row = (f"the paper, {task}", before, after, before / after, None, None)
        for column, item in zip(columns.values(), row, strict=True):
            column.append(item)
    return Table(f"{SLUG}-ratios", f"the largest eigenvalue from {between[0]} over that from {between[1]}", columns)


def draw(figure: Any, wide: bool, study: Study, spectra: Spectra) -> None:
    between, starts = contrast(study), study.starts
    if between is None:
        left, right = figure.add_subplot(), None
    elif wide:
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    else:
        left, right = figure.subplots(2, 1, height_ratios=(0.42 * len(starts) + 0.15, 1.75))
    margin = 1.3
    frame(figure, margin, 0.25, 0.42, 0.45, wspace=0.48, hspace=0.75)
    if _has_end(spectra):
        _legend(figure, margin)
    _eigenvalues(left, wide, starts, spectra)
    if right is not None and between is not None:
        _ratios(right, [ratio(*(spectra[start][when] for start in between)) for when in (0, 1)], between)


def _legend(figure: Any, margin: float) -> None:
    from matplotlib.lines import Line2D

    marks = [
        (Line2D([], [], ls="none", marker="o", ms=5, color=MUTED, mfc=face, mew=1.2), name)
        for face, name in ((PAPER, "before"), (MUTED, "after"))
    ]
    legend(figure, (), margin, marks)


def _eigenvalues(axes: Any, wide: bool, starts: tuple[str, ...], spectra: Spectra) -> None:
    everything = [v for parts in spectra.values() for part in parts for v in part.values()]
    for y, start in enumerate(starts):
        colour, _, marker = style(starts, start)
        ends = spectra[start] if spectra[start][1] else spectra[start][:1]
        for by_seed, place, face in zip(ends, (-0.17, 0.17) if len(ends) > 1 else (0,), (PAPER, colour), strict=False):
            values = list(by_seed.values())
            axes.plot(
                values, [y + place] * len(values), marker, ms=5.5, color=colour, mfc=face, mew=1.2, clip_on=False,
                zorder=3,
            )  # fmt: skip
            axes.plot([_mean(by_seed)] * 2, [y + place - 0.15, y + place + 0.15], color=colour, lw=1.6, zorder=2)
    if min(everything) > 0:
        axes.set_xscale("log")
        axes.set_xlim(min(everything) / 1.6, max(everything) * 1.6)
        plain_ticks(axes, min(everything) / 1.6, max(everything) * 1.6)
    axes.set_yticks(range(len(starts)), [label(starts, start, 18 if wide else 13) for start in starts], color=INK)
    axes.set_ylim(len(starts) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel("largest eigenvalue")


def plain_ticks(axes: Any, low: float, high: float) -> None:
    """At most five round numbers on a logarithmic axis, written out."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(ticks) <= 5:
            break
    ticks = ticks[:: -(-len(ticks) // 5)]
    axes.set_xticks(ticks, [f"{tick:,.0f}" if 1 <= tick < 1e6 else f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _ratios(axes: Any, here: list[Estimate | None], between: tuple[str, str]) -> None:
    rows: list[tuple[str, float | None, float | None, float | None]] = []
    for name, e in zip(("here, before", "here, after"), here, strict=True):
        if e is not None:
            low, high = (None if v is None else math.exp(min(v, 50.0)) for v in (e.low, e.high))
            rows.append((name, math.exp(e.value), low, high))
    own = len(rows)
    rows += [(f"paper, {task}", before / after, None, None) for task, (before, after) in PAPERS.items()]
    marks = [1.0, *(value for _, value, _, _ in rows if value is not None)]
    widest = min(marks) / 20, max(marks) * 20  # an interval that goes on beyond this is cut at the frame
    ends = [*marks, *(v for _, _, low, high in rows for v in (low, high) if v is not None)]
    low_end, high_end = max(min(ends), widest[0]) / 1.3, min(max(ends), widest[1]) * 1.3
    axes.axvline(1, color=MUTED, lw=0.9, ls=":")
    for y, (_, value, low, high) in enumerate(rows):
        colour = INK if y < own else MUTED
        if low is not None and high is not None:
            axes.plot([max(low, low_end), min(high, high_end)], [y, y], color=colour, lw=1.6)
        if value is not None:
            axes.plot(value, y, "o" if y < own else "d", ms=5, color=colour, clip_on=False, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(low_end, high_end)
    plain_ticks(axes, low_end, high_end)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    for y, text in enumerate(axes.get_yticklabels()):
        text.set_color(INK if y < own else MUTED)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel("how many times larger" if len(between[0]) > 12 else f"times larger from {between[0]}")
