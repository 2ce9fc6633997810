"""Finding 7: rounds to a target accuracy, and the curves behind them, by start."""

from typing import Any

import numpy as np

from headstart.report.figures.axes import SEEDS_APART, frame, legend, percent_axis, seed_band, short
from headstart.report.figures.rendering import MUTED, PAPER, style
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import Cell, Pair
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast, standing
from headstart.report.words.numbers import (
    DIVERGED,
    SHORT,
    Answer,
    apart,
    count,
    judge,
    left_out,
    number,
    percent,
    points,
)
from headstart.report.words.table import Table
from headstart.statistics import effects
from headstart.statistics.intervals import negated, paired_difference

SLUG = "speedup"
METRIC = "test_accuracy"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    goal = "get there" if study.target is None else f"reach {percent(study.target, 0)}"
    heading = f"Does {between[1]} {goal} in fewer rounds?" if between else "How fast is training?"
    shown = [p for p in chosen(study) if any(study.curves(study.cell(s, p), METRIC) for s in study.starts)]
    if not shown:
        return Missing(SLUG, heading, "runs whose accuracy was recorded over rounds")
    rows, narrow_rows = (len(shown) + 2) // 3, (len(shown) + 1) // 2
    apart = any(study.cell(start, pair).diverged for start in study.starts for pair in shown)
    target = "" if study.target is None else f" The dotted line is the target, {percent(study.target, 0)}."
    return Panel(
        SLUG,
        heading,
        answer(study),
        f"{study.measure.capitalize()} over rounds: mean, and the range of the seeds as a band.{target} "
        f"Shown: each start\u2019s best pair and the best of every other client optimizer, {len(shown)} of "
        f"{len(study.pairs())}; the table has all." + (SEEDS_APART if apart else ""),
        lambda figure, wide: draw(figure, wide, study, shown),
        (0.8 + 1.85 * rows, 0.85 + 1.55 * narrow_rows),
        f"{count(len(study.pairs()), 'pair')} in the setting {study.base}",
        (table(study),),
    )


def chosen(study: Study, limit: int = 6) -> list[Pair]:
    """Each start's best pair, then the best pair of every other client optimizer, then the rest in order of rank."""
    standings = [standing(study, start) for start in study.starts]
    best = [s.pairs[s.best] for s in standings if s.best is not None]
    ranked = sorted(study.comparable(), key=lambda p: sum(s.ranks[s.pairs.index(p)] for s in standings))
    clients = {p.client for p in best}
    first = [p for i, p in enumerate(ranked) if p.client not in {*clients, *(q.client for q in ranked[:i])}]
    return list(dict.fromkeys([*best, *first, *ranked]))[:limit]


def rounds_needed(cell: Cell) -> dict[int, float]:
    """Rounds to the target by seed; a run that never reached it counts with the rounds it ran: a lower bound."""
    if cell.diverged:
        return {}
    needed = {run.seed: run.rounds if run.rounds_to_target is None else run.rounds_to_target for run in cell.runs}
    return {seed: float(value) for seed, value in needed.items() if value is not None}


def reached(cell: Cell) -> int:
    return sum(run.rounds_to_target is not None for run in cell.runs)


def answer(study: Study) -> Answer:
    between = contrast(study)
    if between is None:
        return Answer(None, f"only one start, {study.starts[0]}, was run.")
    pairs = study.comparable()
    every = [(study.cell(between[0], pair), study.cell(between[1], pair)) for pair in pairs]
    couples = [(a, b) for a, b in every if not a.diverged and not b.diverged]
    set_aside = (len(every) - len(couples), DIVERGED), (len(study.pairs()) - len(pairs), SHORT)
    if study.target is None:
        return without_target(study, between, couples, left_out(*set_aside))
    if not any(reached(a) or reached(b) for a, b in every):
        return Answer("undecided", f"no pair reaches {percent(study.target, 0)} from either start.")
    both = [(a, b) for a, b in couples if reached(a) or reached(b)]
    if not both:
        return Answer("undecided", f"every pair that reaches {percent(study.target, 0)} has a diverged run.")
    saved = paired_difference(*(effects.mean_over([rounds_needed(c[i]) for c in both]) for i in (0, 1)))
    totals = [sum(len(c[i].runs) for c in both) for i in (0, 1)]
    hits = [sum(reached(c[i]) for c in both) for i in (0, 1)]
    if saved is None:
        return Answer("undecided", f"{apart(*between)}.")
    never = len(couples) - len(both), "brought there by neither start"
    bound = "" if hits == totals else "runs that never reach it count with all their rounds"
    notes = "; ".join(filter(None, (bound, left_out(*set_aside, never))))
    over = f"mean over {count(len(both), 'pair')}{f' ({notes})' if notes else ''}"
    fewer = number(negated(saved), 1, " rounds")
    return Answer(
        judge(saved),
        f"to {percent(study.target, 0)}, {between[1]} needs {fewer} against {between[0]}, "
        f"{over}; reached by {hits[1]} of {totals[1]} runs against {hits[0]} of {totals[0]}.",
        fewer,
        saved,
        unit="rounds",
    )


def without_target(study: Study, between: tuple[str, str], couples: list[tuple[Cell, Cell]], set_aside: str) -> Answer:
    """The mean of accuracy over the rounds, where no target was set."""
    if not couples:
        return Answer("undecided", "no target accuracy was set, and every pair has a diverged run.")
    means = [effects.mean_over([mean_over_rounds(study, c[i]) for c in couples]) for i in (0, 1)]
    gain = paired_difference(means[1], means[0])
    if gain is None:
        return Answer("undecided", f"{apart(*between)}.")
    note = f" ({set_aside})" if set_aside else ""
    said = f"averaged over the rounds, {between[1]} is {points(gain)} from {between[0]}{note}."
    return Answer(judge(gain), f"no target accuracy was set; {said}", points(gain), gain)


def mean_over_rounds(study: Study, cell: Cell) -> dict[int, float]:
    return {seed: float(values.mean()) for seed, (_, values) in study.curves(cell, METRIC).items() if len(values)}


def table(study: Study) -> Table:
    columns: dict[str, list[Any]] = {"pair": [str(pair) for pair in study.pairs()]}
    for start in study.starts:
        cells = [study.cell(start, pair) for pair in study.pairs()]
        columns[f"{start}: median rounds"] = [_median(cell) for cell in cells]
        columns[f"{start}: reached"] = [f"{reached(cell)} of {len(cell.runs)}" for cell in cells]
        columns[f"{start}: MB to target"] = [_megabytes(cell) for cell in cells]
    return Table("rounds-to-target", "Rounds and bytes to the target", columns)


def _median(cell: Cell) -> float | None:
    """The median over seeds, where every seed reached the target."""
    needed = [run.rounds_to_target for run in cell.runs]
    return None if None in needed or not needed else float(np.median([n for n in needed if n is not None]))


def _megabytes(cell: Cell) -> float | None:
    """Up and down, all clients, up to the target: the run's bytes in proportion to its rounds."""
    used = [
        ((run.bytes_up or 0) + (run.bytes_down or 0)) / run.rounds * run.rounds_to_target
        for run in cell.runs
        if run.rounds and run.rounds_to_target is not None
    ]
    return float(np.median(used)) / 1e6 if used and len(used) == len(cell.runs) else None


def draw(figure: Any, wide: bool, study: Study, pairs: list[Pair]) -> None:
    columns = min(3 if wide else 2, len(pairs))
    grid = figure.subplots(-(-len(pairs) // columns), columns, sharex=True, sharey=True, squeeze=False)
    frame(
        figure,
        0.5,
        0.1,
        0.5 if wide or len(study.starts) < 3 else 0.68,
        0.42,
        hspace=0.34,
        wspace=0.12 if wide else 0.2,
    )
    legend(figure, study.starts, 0.5)
    for axes, pair in zip(grid.flat, pairs, strict=False):
        for i, start in enumerate(study.starts):
            colour, dash, _ = style(study.starts, start)
            cell = study.cell(start, pair)
            seed_band(axes, list(study.curves(cell, METRIC).values()), colour, dash, cell.diverged > 0)
            if cell.diverged:
                axes.text(
                    0.97,
                    0.05 + 0.12 * i,
                    f"{cell.diverged} diverged",
                    transform=axes.transAxes,
                    color=colour,
                    ha="right",
                    fontsize=7.6,
                    bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1.5},
                )
        if study.target is not None:
            axes.axhline(study.target, color=MUTED, lw=0.9, ls=":")
        axes.set_title(short(study.brief(pair), 34 if wide else 22))
        percent_axis(axes.yaxis)
        axes.margins(x=0.01)
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(pairs) - columns) : len(pairs)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("round")
