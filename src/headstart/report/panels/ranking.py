"""Finding 1 of the paper: does the start change the order of the pairs? A bump chart with one axis a start."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.paper.findings import Says
from headstart.report.figures.bump import bump
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import Cell, Pair
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import KEY, Standing, contrast, standing
from headstart.report.words.numbers import DIVERGED, MINUS, SHORT, Answer, count, left_out, listed, number, points
from headstart.report.words.table import Table
from headstart.statistics import orders
from headstart.statistics.intervals import Estimate, negated, paired_difference, t_interval

SAME, ORDERED = 0.1, 0.7
COUPLES = 3  # of pairs, at least, for an order to be judged by: those of three pairs
SLUG, HEADING = "ranking", "Does the start change the order of the pairs?"


def build(study: Study) -> Panel | Missing:
    pairs = study.comparable()
    if len(pairs) < 2:
        return Missing(SLUG, HEADING, "two or more pairs that every start has in one setting")
    standings = [standing(study, start) for start in study.starts]
    return Panel(
        SLUG,
        HEADING,
        answer(study, standings),
        f"Final {study.measure}, mean over seeds, one axis a start, each with its own scale; marks that would "
        "lie on each other are moved apart. "
        "Filled dots: the best pair and those that cannot be told apart from it; hollow: told apart (Holm). "
        "Judged is whether a start changes the order more than a seed does: \u0394\u03c4 is Kendall\u2019s \u03c4 "
        "between the starts less that between seeds of one start. A pair with a diverged run has no mean and "
        "ranks last; in \u0394\u03c4, only in the seed that diverged.",
        lambda figure, wide: bump(figure, wide, study, standings),
        (0.75 + 0.235 * len(pairs), 0.75 + 0.235 * len(pairs)),
        f"{count(len(pairs), 'pair')} in the setting {study.base}",
        (table(standings),),
    )


def answer(study: Study, standings: list[Standing]) -> Answer:
    between = contrast(study)
    by_start = {s.start: s for s in standings}
    if between is None:
        s = standings[0]
        best = "every pair has a diverged run" if s.best is None else f"best is {s.pairs[s.best]}"
        return Answer(None, f"only one start, {s.start}, was run: {best}.")
    a, b = (by_start[start] for start in between)
    agreement = orders.kendall(a.means, b.means)
    seeds = [seed for seed in a.seeds if seed in b.seeds]
    scores = [s.scores[:, [s.seeds.index(seed) for seed in seeds]] for s in (a, b)]
    change, within, across = orders.rank_change(*scores)
    same, equal = alike(study)
    said = [
        swaps(a, b, agreement, scores, (within, across)),
        leaders(a, b),
        *(ranks_last(s) for s in (a, b)),
        _together(same, "gave identical results", "as did"),
        _together(equal, "have equal accuracies in every seed, but not equal results", "as have"),
        left_out((a.short, SHORT)),
        "two pairs are too few to judge an order by" if agreement.pairs < COUPLES else "",
        "fewer than three common seeds are too few to judge an order by" if len(seeds) < orders.ORDER_SEEDS else "",
    ]
    swapped = f"{agreement.swapped} of {agreement.pairs} swapped"
    return Answer(
        changes_order(change, within, agreement.pairs, any(cell.diverged for s in (a, b) for cell in s.cells)),
        "; ".join(filter(None, said)) + ".",
        f"{swapped}; \u0394\u03c4 {number(negated(change))}" if change else swapped,
        change,
        unit="Kendall\u2019s tau, between seeds of one start less between the starts",
        open_ended=change is None or change.value <= 0,  # more seeds never turn a fall into a yes
    )


def swaps(
    a: Standing,
    b: Standing,
    agreement: orders.Agreement,
    scores: list[orders.Scores],
    tau_by_seed: tuple[float | None, float | None],
) -> str:
    """How many couples swap and Kendall's tau, with the bootstrap's intervals; `tau_by_seed`: within and between."""
    sure = orders.order_interval(scores[0], scores[1], np.random.Generator(np.random.Philox(key=KEY)))
    many = f" [{sure.swapped[0]}, {sure.swapped[1]}]" if sure else ""
    tau = "undefined" if agreement.tau is None else _tau(agreement.tau)
    tau += f" [{_tau(sure.tau[0])}, {_tau(sure.tau[1])}], bootstrap over seeds" if sure and sure.tau else ""
    within, across = tau_by_seed
    if within is not None and across is not None:
        tau += f"; across seeds {_tau(within)} within a start, {_tau(across)} between the two"
    couples = f"{agreement.swapped}{many} of {count(agreement.pairs, 'couple')}"
    return f"{couples} of pairs swap places between {a.start} and {b.start} (Kendall\u2019s tau {tau})"


def leaders(a: Standing, b: Standing) -> str:
    """Whether the best pair is the same from both, and what the other start's best would cost."""
    if a.best is None or b.best is None:
        return ""
    if a.pairs[a.best] == b.pairs[b.best]:
        return f"{a.pairs[a.best]} is best from both"
    ours, theirs = b.cells[b.best], b.cells[a.best]
    regret = paired_difference(ours.accuracy, theirs.accuracy)
    lost = "which has a diverged run there" if theirs.diverged else "which has no seed in common with it"
    cost = lost if regret is None else f"which is {points(negated(regret))} against it"
    return f"from {b.start} the best is {b.pairs[b.best]}, not {a.pairs[a.best]}, {cost}"


def ranks_last(s: Standing) -> str:
    lost = sum(cell.diverged > 0 for cell in s.cells)
    return f"{count(lost, 'pair')} {DIVERGED} {'ranks' if lost == 1 else 'rank'} last from {s.start}" if lost else ""


def alike(study: Study) -> tuple[list[list[Pair]], list[list[Pair]]]:
    """Pairs whose results are the same in every seed from every start, and those of which only the accuracies are.

    The results are accuracies and losses, at the end and wherever they were measured. The first
    are one competitor under several names, as nova is sgd where all clients take the same steps.
    """
    by_result: dict[object, list[Pair]] = {}
    by_accuracy: dict[object, list[Pair]] = {}
    for pair in study.comparable():
        cells = [study.cell(start, pair) for start in study.starts]
        if all(cell.accuracy for cell in cells):
            by_result.setdefault(_results(study, cells), []).append(pair)
            accuracies = tuple(tuple(sorted(cell.accuracy.items())) for cell in cells)
            by_accuracy.setdefault(accuracies, []).append(pair)
    same = [pairs for pairs in by_result.values() if len(pairs) > 1]
    equal = [pairs for pairs in by_accuracy.values() if len(pairs) > 1 and pairs not in same]
    return same, equal


def _results(study: Study, cells: Sequence[Cell]) -> object:
    """What came of the runs of some cells, of which equal ones have equal results."""
    found: list[object] = []
    for cell in cells:
        found += sorted((run.seed, run.test_accuracy, run.test_loss) for run in cell.runs)
        for metric in ("test_accuracy", "test_loss"):
            curves = sorted(study.curves(cell, metric).items())
            found += [(seed, rounds.tobytes(), values.tobytes()) for seed, (rounds, values) in curves]
    return tuple(found)


def _together(groups: Sequence[Sequence[Pair]], first: str, further: str) -> str:
    """Groups of pairs in one sentence, such as "a and b gave identical results, as did c and d"."""
    if not groups:
        return ""
    more = "".join(f", {further} {listed(pairs)}" for pairs in groups[1:])
    return f"{listed(groups[0])} {first}{more}"


def _tau(value: float) -> str:
    return f"{value:.2f}".replace("-", MINUS)


def changes_order(change: Estimate | None, within: float | None, couples: int, diverged: bool = False) -> Says:
    """Yes where a start changes the order more than a seed does. No where it does not, by less than 0.1 of tau, and the
    seeds agree well enough (tau 0.7) that there is an order to change; both limits are ours. Two pairs are too few to
    have an order that could change in more than one way. Where a run diverged, an order that did not change in most
    seeds did change in the means, so there is no no."""
    if couples < COUPLES or change is None or change.low is None or change.high is None or within is None:
        return "undecided"
    if change.positive:
        return "yes"
    return "no" if change.high < SAME and within > ORDERED and not diverged else "undecided"


def table(standings: list[Standing]) -> Table:
    columns: dict[str, list[Any]] = {"pair": [str(pair) for pair in standings[0].pairs]}
    shown = set()
    for s in standings:
        own = [t_interval(c.accuracy.values()) if c.accuracy else None for c in s.cells]
        columns |= {
            f"{s.start}: rank": s.ranks,
            f"{s.start}: accuracy": [None if np.isnan(m) else m for m in s.means],
            f"{s.start}: low": [e.low if e else None for e in own],
            f"{s.start}: high": [e.high if e else None for e in own],
            f"{s.start}: diverged runs": [c.diverged for c in s.cells],
            f"{s.start}: mean rank": s.mean_ranks,
            f"{s.start}: chance of being best": s.chance_best,
            f"{s.start}: gap to the best": [g.value if g else None for g in s.gaps],
            f"{s.start}: p of the gap (Holm)": s.adjusted,
        }
        shown |= {
            f"{s.start}: {name}" for name in ("accuracy", "low", "high", "chance of being best", "gap to the best")
        }
    order = sorted(range(len(standings[-1].pairs)), key=lambda i: standings[-1].ranks[i])
    return Table(
        SLUG,
        "The order of the pairs from each start",
        {k: [v[i] for i in order] for k, v in columns.items()},
        frozenset(shown),
    )
