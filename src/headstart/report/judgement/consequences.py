"""What follows the verdict's two sentences: the cost, what would flip it, and what stays open. One rule a function.

Each reads the stored tables only and returns one sentence, or nothing where the study has no runs for it.
"""

import math

import numpy as np

from headstart.report.panels.base import Panel
from headstart.report.panels.speedup import reached, rounds_needed
from headstart.report.runs.cells import Cell, Pair, Setting
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import standing
from headstart.report.words.numbers import count, listed, percent, points, size
from headstart.statistics import power
from headstart.statistics.intervals import LEVEL, Estimate, holm, paired_difference


def what_it_costs(study: Study, start: str, pair: Pair) -> str:
    """Rounds, bytes and simulated seconds to the target (median over seeds), or of whole runs where none was set."""
    cell = study.cell(start, pair)
    if cell.diverged:
        return ""
    to_target = study.target is not None and reached(cell) == len(cell.runs)
    rounds = {run.seed: float(run.rounds or 0) for run in cell.runs}
    if to_target:
        rounds = rounds_needed(cell)
        if not any(rounds.values()):
            return f"{pair} from {start} is at {percent(study.target, 0)} before the first round."
    parts = [f"{np.median(list(rounds.values())):g} rounds"]
    for what, scale, unit in (("bytes", 1e6, "MB sent"), ("simulated_seconds", 1.0, "simulated seconds")):
        used = _used(cell, what, rounds)
        parts += [f"{size(used / scale)} {unit}"] if used is not None else []
    goal = f"to {percent(study.target, 0)}" if to_target else "for the whole run"
    missed = study.target is not None and not to_target
    note = (
        f" ({percent(study.target, 0)} is reached by {reached(cell)} of {count(len(cell.runs), 'run')})"
        if missed
        else ""
    )
    return f"{pair} from {start} costs {listed(parts)} {goal}, in the median over seeds{note}."


def _used(cell: Cell, what: str, rounds: dict[int, float]) -> float | None:
    """Of a run's total, the share of its rounds; the median over seeds."""
    totals = {
        run.seed: (run.bytes_up or 0) + (run.bytes_down or 0) if what == "bytes" else run.simulated_seconds
        for run in cell.runs
    }
    lengths = {run.seed: run.rounds for run in cell.runs}
    used = [total * rounds[seed] / n for seed, total in totals.items() if total and (n := lengths[seed])]
    return float(np.median(used)) if len(used) == len(cell.runs) else None


def when_it_would_flip(study: Study, start: str, pair: Pair) -> str:
    """Settings of this study (more epochs, other data, uneven devices) in which another start is ahead at this pair.

    Ahead: the 95 % interval of the difference lies above zero, after Holm over the settings and starts looked at.
    """
    others = [s for s in study.starts if s != start]
    settings = [s for _, p, s in study.cells if p == pair and s != study.base]
    looked: list[tuple[str, Setting, Estimate]] = []
    for setting in dict.fromkeys(settings):
        for other in others:
            cells = [study.cells.get((s, pair, setting)) for s in (other, start)]
            found = paired_difference(cells[0].accuracy, cells[1].accuracy) if cells[0] and cells[1] else None
            if found is not None:
                looked.append((other, setting, found))
    if all(found.low is None for _, _, found in looked):  # nothing is shown either way
        return ""
    adjusted = holm([found.p for _, _, found in looked])
    flips = [
        f"from {other} it is {points(found)} ({setting})"
        for (other, setting, found), p in zip(looked, adjusted, strict=True)
        if found.value > 0 and p is not None and p < 1 - LEVEL
    ]
    where = count(len({setting for _, setting, _ in looked}), "other setting")
    order = f"With {pair}, the order of the starts"
    if flips:
        return f"{order} would flip in {len(flips)} of the comparisons in {where}: {listed(flips)}."
    leaning = [f"{setting} ({points(found)} from {other})" for other, setting, found in looked if found.value > 0]
    if leaning:
        return f"{order} is not shown to flip in {where} of this study, but could with {listed(leaning)}."
    return f"{order} does not flip in {where} of this study."


def what_is_open(study: Study, start: str, panels: list[Panel]) -> str:
    """The panels without an answer, and how many more seeds would tell the best pair from the second."""
    unsure = [f"\u201c{panel.heading}\u201d" for panel in panels if panel.answer.says == "undecided"]
    said = [f"Open: {listed(unsure)}."] if unsure else []
    s = standing(study, start)
    gaps = [(gap.value, gap, s.pairs[i]) for i, gap in enumerate(s.gaps) if gap is not None and i in s.level]
    if gaps and s.best is not None:
        _, gap, second = min(gaps, key=lambda each: each[0])
        couples = math.comb(sum(cell.diverged == 0 for cell in s.cells), 2)
        needed = power.seeds_needed(gap, level=1 - (1 - LEVEL) / couples)
        many = (
            f"more than {power.MOST_SEEDS:,} seeds"
            if needed is None
            else f"about {count(max(1, needed - gap.n), 'more seed')}"
        )
        if gap.low is not None:
            said.append(f"Telling {s.pairs[s.best]} from {second} would take {many}, if they differ as measured.")
    return " ".join(said)
