"""Finding 7: rounds to a target accuracy, and the curves behind them, by start."""

from typing import NamedTuple

import numpy as np

from headstart.looks.competitors import Pair
from headstart.paper.findings import Says
from headstart.report.figures import over_rounds
from headstart.report.figures.axes import SEEDS_APART
from headstart.report.measures.speed import (
    METRIC,
    mean_over_rounds,
    median_rounds,
    megabytes,
    reached,
    reached_by_all,
    rounds_by_repeat,
    there_before_training,
)
from headstart.report.panels.base import Answer, Missing, Panel, apart, judge
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import number, percent, points
from headstart.report.words.remarks import DIVERGED, SHORT, in_brackets, left_out
from headstart.report.words.table import Rows, Table
from headstart.statistics import effects
from headstart.statistics.intervals import negated, paired_difference
from headstart.wording.phrases import count

SLUG = "speedup"
SHOWN = 6
"""Pairs in the figure."""

FEWEST_SEEDS = 3
"""Fewer are too few for an answer that no interval is behind."""


class Couple(NamedTuple):
    """The cells of one pair from the two starts that are compared."""

    first: Cell
    other: Cell

    @property
    def diverged(self) -> bool:
        """Whether a run of either diverged."""
        return bool(self.first.diverged or self.other.diverged)

    @property
    def reached(self) -> bool:
        """Whether a run of either reached the target."""
        return bool(reached(self.first) or reached(self.other))


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing where accuracy was not recorded over rounds."""
    heading = "How fast is training?"
    if grid.between and grid.target is None:
        heading = f"Is {grid.between[1]} ahead on the way?"
    elif grid.between:
        heading = f"Does {grid.between[1]} reach {percent(grid.target, 0)} in fewer rounds?"
    shown = [pair for pair in chosen(grid) if has_curves(grid, pair)]
    if not shown:
        return Missing(SLUG, heading, "runs whose accuracy was recorded over rounds")
    rows, narrow_rows = (len(shown) + 2) // 3, (len(shown) + 1) // 2
    diverged = any(grid.diverged(pair) for pair in shown)
    target = ""
    if grid.target is not None:
        target = f" The dotted line is the target, {percent(grid.target, 0)}."
    pairs = grid.pairs()
    return Panel(
        SLUG,
        heading,
        answer(grid),
        f"{grid.measure.capitalize()} over rounds: mean, and the range of the seeds as a band."
        f"{target} Shown: each start\u2019s best pair and the best of every other client "
        f"optimizer, {len(shown)} of {len(pairs)}; the table has all."
        + (SEEDS_APART if diverged else ""),
        lambda figure, wide: over_rounds.accuracies(figure, wide, grid, shown, METRIC),
        (0.8 + 1.85 * rows, 0.85 + 1.55 * narrow_rows),
        f"{count(len(pairs), 'pair')} in the setting {grid.base}",
        (table(grid),),
    )


def has_curves(grid: Grid, pair: Pair) -> bool:
    """Whether accuracy was recorded over the rounds from any start."""
    return any(grid.curves(cell, METRIC) for cell in grid.cells_of(pair))


def chosen(grid: Grid) -> list[Pair]:
    """Each start's best pair, the best pair of every other client optimizer, the rest by rank."""
    standings = grid.standings.values()
    best = [s.best_cell.pair for s in standings if s.best_cell]
    pairs = grid.comparable()
    ranks = np.sum([s.ranks for s in standings], axis=0)
    ranked = [pairs[place] for place in np.argsort(ranks, kind="stable")]
    clients = {pair.client for pair in best}
    first = []
    for pair in ranked:
        if pair.client not in clients:
            first.append(pair)
            clients.add(pair.client)
    return list(dict.fromkeys([*best, *first, *ranked]))[:SHOWN]


def answer(grid: Grid) -> Answer:
    """Whether the other start needs fewer rounds to the target, or is ahead on average."""
    if grid.between is None:
        return Answer(None, f"only one start, {grid.starts[0]}, was run.")
    reference, other = grid.between
    pairs = grid.comparable()
    every = [Couple(grid.cell(reference, pair), grid.cell(other, pair)) for pair in pairs]
    couples = [couple for couple in every if not couple.diverged]
    set_aside = (
        (len(every) - len(couples), DIVERGED),
        (len(grid.pairs()) - len(pairs), SHORT),
    )
    if grid.target is None:
        return without_target(grid, couples, left_out(*set_aside))
    target = percent(grid.target, 0)
    if not any(couple.reached for couple in every):
        return Answer("undecided", f"no pair reaches {target} from either start.")
    both = [couple for couple in couples if couple.reached]
    if not both:
        return Answer("undecided", f"every pair that reaches {target} has a diverged run.")
    never = len(couples) - len(both), "brought there by neither start"
    notes = left_out(*set_aside, never)
    return without_training(grid, both, notes) or with_target(grid, both, notes)


def without_training(grid: Grid, both: list[Couple], set_aside: str) -> Answer | None:
    """The answer where all runs from one start are at the target before round 0, and none from the
    other reaches it; None elsewhere, and with fewer than three seeds.

    Such runs all differ by the same rounds and show no spread to judge by. They need none: were the
    two starts alike, their runs would fall out so at every seed, either way round, with a
    probability of 2 / 4^n at most, 3 % for three seeds.
    """
    assert grid.between is not None
    firsts, others = zip(*both, strict=True)
    seeds = frozenset.intersection(*[cell.seeds for cell in (*firsts, *others)])
    if len(seeds) < FEWEST_SEEDS:
        return None
    reference, other = grid.between
    for there, cells, never, rest in (
        (other, others, reference, firsts),
        (reference, firsts, other, others),
    ):
        if all(map(there_before_training, cells)) and not any(map(reached, rest)):
            sentence = (
                f"from {there} all {sum(len(cell.runs) for cell in cells)} runs are at "
                f"{percent(grid.target, 0)} before the first round; from {never} "
                f"{_hits(rest)} reach it"
            )
            short = f"{there} before round 1, {never} in no run"
            says: Says = "yes" if there == other else "no"
            return Answer(says, f"{sentence}{in_brackets(set_aside)}.", short)
    return None


def with_target(grid: Grid, both: list[Couple], set_aside: str) -> Answer:
    """The rounds that the other start saves, over the pairs that reach the target."""
    assert grid.between is not None
    reference, other = grid.between
    firsts, others = zip(*both, strict=True)
    slower = effects.mean_over(list(map(rounds_by_repeat, firsts)))
    quicker = effects.mean_over(list(map(rounds_by_repeat, others)))
    saved = paired_difference(slower, quicker, step=between_measurements(grid))
    if saved is None:
        return Answer("undecided", f"{apart(reference, other)}.")
    bound = "runs that never reach it count with all their rounds"
    if all(map(reached_by_all, (*firsts, *others))):
        bound = ""
    notes = "; ".join(filter(None, (bound, set_aside)))
    fewer = number(negated(saved), 1, " rounds")
    return Answer(
        judge(saved),
        f"to {percent(grid.target, 0)}, {other} needs {fewer} against {reference}, mean over "
        f"{count(len(both), 'pair')}{in_brackets(notes)}; reached by {_hits(others)} runs against "
        f"{_hits(firsts)}.",
        fewer,
        saved,
        unit="rounds",
    )


def between_measurements(grid: Grid) -> int | None:
    """The rounds between two measurements: what a run needs is not known more closely."""
    every = grid.records.settings.get("every")
    return every if isinstance(every, int) else None


def _hits(cells: tuple[Cell, ...]) -> str:
    runs = sum(len(cell.runs) for cell in cells)
    return f"{sum(map(reached, cells))} of {runs}"


def without_target(grid: Grid, couples: list[Couple], set_aside: str) -> Answer:
    """The mean of accuracy over the rounds after round 0, where no target was set."""
    assert grid.between is not None
    reference, other = grid.between
    if not couples:
        why = "no target accuracy was set, and every pair has a diverged run."
        return Answer("undecided", why)
    means = []
    for cells in zip(*couples, strict=True):
        means.append(effects.mean_over([mean_over_rounds(grid, cell) for cell in cells]))
    gain = paired_difference(means[1], means[0])
    if gain is None:
        return Answer("undecided", f"{apart(reference, other)}.")
    said = f"averaged over the rounds that were trained, {other} is {points(gain)} from {reference}"
    sentence = f"no target accuracy was set; {said}{in_brackets(set_aside)}."
    return Answer(judge(gain), sentence, points(gain), gain)


def table(grid: Grid) -> Table:
    """A row a pair, from every start: rounds and bytes to the target; without one, the mean
    accuracy over the rounds.
    """
    if grid.target is None:
        return _means(grid)
    names = ["pair", "method"]
    for start in grid.starts:
        names += [f"{start}: median rounds", f"{start}: reached", f"{start}: MB to target"]
    rows = Rows(*names)
    for pair in grid.pairs():
        values = []
        for start in grid.starts:
            cell = grid.cell(start, pair)
            values += [median_rounds(cell), _hits((cell,)), megabytes(cell)]
        rows.add(str(pair), method(pair), *values)
    return rows.table(SLUG, "Rounds and bytes to the target")


def _means(grid: Grid) -> Table:
    names = [f"{start}: mean accuracy" for start in grid.starts]
    rows = Rows("pair", "method", *names)
    for pair in grid.pairs():
        values = []
        for start in grid.starts:
            by_seed = mean_over_rounds(grid, grid.cell(start, pair))
            values.append(effects.mean(by_seed))
        rows.add(str(pair), method(pair), *values)
    return rows.table(SLUG, "Accuracy, mean over the rounds that were trained", *names)
