"""Finding 1 of the paper: does the start change the order of the pairs? A bump chart with one axis
a start.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.looks.competitors import Pair
from headstart.paper.findings import Says
from headstart.report.figures.bump import bump
from headstart.report.measures.likeness import likeness
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.panels.steps import accuracy, ends
from headstart.report.runs.grid import Grid
from headstart.report.runs.standings import Standing
from headstart.report.words.methods import method
from headstart.report.words.numbers import MINUS, OF_CORRELATIONS, number, points
from headstart.report.words.remarks import DIVERGED, SHORT, left_out
from headstart.report.words.table import Rows, Table
from headstart.statistics import orders
from headstart.statistics.intervals import Estimate, negated, paired_difference
from headstart.wording.phrases import count, listed

KEY = 2206_15387
"""Of the bootstrap's generator: the paper's number, so that a page is the same whenever it is
written.
"""

SLUG, HEADING = "ranking", "Does the start change the order of the pairs?"
SAME, ORDERED = 0.1, 0.7
"""Of Kendall's tau; both limits are ours. `changes_order` has their meaning."""

COUPLES = 3
"""Of pairs, at least, for an order to be judged by: those of three pairs."""

COLUMNS = (
    "rank",
    "accuracy",
    "low",
    "high",
    "diverged runs",
    "mean rank",
    "chance of being best",
    "gap to the best",
    "at least",
    "at most",
    "told apart",
)
SHARES = (
    "accuracy",
    "low",
    "high",
    "chance of being best",
    "gap to the best",
    "at least",
    "at most",
)

CAPTION = (
    "mean over seeds, one axis a start, each with its own scale; marks that would lie on each "
    "other are moved apart. Filled dots: pairs that no other is ahead of; hollow: pairs that some "
    "other is ahead of. Judged is whether a start changes the order more than a seed "
    "does: \u0394\u03c4 is Kendall\u2019s \u03c4 between the starts less that between seeds of "
    "one start. A pair with a diverged run has no mean and ranks last; in \u0394\u03c4, only in "
    "the seed that diverged."
)


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing with fewer than two pairs."""
    pairs = grid.comparable()
    if len(pairs) < 2:
        return Missing(SLUG, HEADING, "two or more pairs that every start has in one setting")
    height = 0.75 + 0.235 * len(pairs)
    return Panel(
        SLUG,
        HEADING,
        answer(grid),
        f"Final {grid.measure}, {CAPTION}",
        lambda figure, wide: bump(figure, wide, grid),
        (height, height),
        f"{count(len(pairs), 'pair')} in the setting {grid.base}",
        (table(list(grid.standings.values())),),
    )


def answer(grid: Grid) -> Answer:
    """Whether the order of the pairs changes between the two starts more than between seeds."""
    if grid.between is None:
        s = grid.standings[grid.starts[0]]
        best = "every pair has a diverged run"
        if s.best_cell:
            best = f"best is {method(s.best_cell.pair)}"
        return Answer(None, f"only one start, {s.start}, was run: {best}.")
    a, b = (grid.standings[start] for start in grid.between)
    agreement = orders.kendall(a.means, b.means)
    seeds = [seed for seed in a.seeds if seed in b.seeds]
    scores = _scores(a, seeds), _scores(b, seeds)
    change, within, across = orders.rank_change(*scores)
    alike = likeness(grid)
    few_seeds = len(seeds) < orders.ORDER_SEEDS
    said = [
        swaps(a, b, agreement, scores, (within, across)),
        leaders(a, b),
        ranks_last(a),
        ranks_last(b),
        _together(alike.same, "gave identical results", "as did"),
        _together(
            alike.equal, "have equal accuracies in every seed, but not equal results", "as have"
        ),
        left_out((a.short, SHORT)),
        "two pairs are too few to judge an order by" if agreement.pairs < COUPLES else "",
        "fewer than three common seeds are too few to judge an order by" if few_seeds else "",
    ]
    swapped = f"{agreement.swapped} of {agreement.pairs} swapped"
    diverged = bool(a.diverged or b.diverged)
    says = changes_order(change, within, agreement.pairs, diverged)
    tau_change = number(negated(change), most=OF_CORRELATIONS)
    return Answer(
        says,
        "; ".join(filter(None, said)) + ".",
        f"{swapped}; \u0394\u03c4 {tau_change}" if change else swapped,
        change,
        SAME if says == "no" else 0.0,
        unit="Kendall\u2019s tau, between seeds of one start less between the starts",
        open_ended=change is None or change.value <= 0,  # more seeds never turn a fall into a yes
    )


def _scores(s: Standing, seeds: Sequence[int]) -> orders.Scores:
    return s.scores[:, [s.seeds.index(seed) for seed in seeds]]


def swaps(
    a: Standing,
    b: Standing,
    agreement: orders.Agreement,
    scores: tuple[orders.Scores, orders.Scores],
    tau_by_seed: tuple[float | None, float | None],
) -> str:
    """How many couples swap and Kendall's tau, with the bootstrap's intervals.

    Args:
        a: the pairs from one start.
        b: the pairs from the other.
        agreement: of their means.
        scores: [P, S] of both, over the seeds that they share.
        tau_by_seed: tau within a start, and between the two.
    """
    generator = np.random.Generator(np.random.Philox(key=KEY))
    sure = orders.order_interval(scores[0], scores[1], generator)
    many = f" [{sure.swapped[0]}, {sure.swapped[1]}]" if sure else ""
    tau = "undefined" if agreement.tau is None else _tau(agreement.tau)
    if sure and sure.tau:
        tau += f" [{_tau(sure.tau[0])}, {_tau(sure.tau[1])}], bootstrap over seeds"
    within, across = tau_by_seed
    if within is not None and across is not None:
        tau += f"; across seeds {_tau(within)} within a start, {_tau(across)} between the two"
    couples = f"{agreement.swapped}{many} of {count(agreement.pairs, 'couple')}"
    places = f"{couples} of pairs swap places between {a.start} and {b.start}"
    return f"{places} (Kendall\u2019s tau {tau})"


def leaders(a: Standing, b: Standing) -> str:
    """Whether the best pair is the same from both, and what the other start's best would cost."""
    if a.best is None or b.best is None:
        return ""
    first, second = a.pairs[a.best], b.pairs[b.best]
    if first == second:
        return f"{method(first)} is best from both"
    ours, theirs = b.cells[b.best], b.cells[a.best]
    regret = paired_difference(ours.accuracy, theirs.accuracy)
    cost = f"which is {points(negated(regret))} against it"
    if regret is None:
        cost = "which has no seed in common with it"
        if theirs.diverged:
            cost = "which has a diverged run there"
    return f"from {b.start} the best is {method(second)}, not {method(first)}, {cost}"


def ranks_last(s: Standing) -> str:
    """Which pairs rank last as they diverged; empty where none did."""
    if not s.diverged:
        return ""
    rank = "ranks" if s.diverged == 1 else "rank"
    return f"{count(s.diverged, 'pair')} {DIVERGED} {rank} last from {s.start}"


def _together(groups: Sequence[Sequence[Pair]], first: str, further: str) -> str:
    """Groups of pairs in a sentence: "a and b gave identical results, as did c and d"."""
    if not groups:
        return ""
    more = "".join(f", {further} {listed(pairs)}" for pairs in groups[1:])
    return f"{listed(groups[0])} {first}{more}"


def _tau(value: float) -> str:
    return f"{value:.2f}".replace("-", MINUS)


def changes_order(
    change: Estimate | None, within: float | None, couples: int, diverged: bool = False
) -> Says:
    """Yes where a start changes the order more than a seed does.

    No where it does not, by less than 0.1 of tau, and the seeds agree well enough (tau 0.7) that
    there is an order to change. Two pairs are too few to have an order that could change in more
    than one way. Where a run diverged, an order that did not change in most seeds did change in the
    means, so there is no no.
    """
    if couples < COUPLES or change is None or within is None:
        return "undecided"
    if change.low is None or change.high is None:
        return "undecided"
    if change.positive:
        return "yes"
    return "no" if change.high < SAME and within > ORDERED and not diverged else "undecided"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def table(standings: list[Standing]) -> Table:
    """A row a pair, in the order of the last start."""
    columns: dict[str, list[Any]] = {"pair": list(map(str, standings[0].pairs))}
    shares = set()
    for s in standings:
        own = Rows(*COLUMNS)
        for i, cell in enumerate(s.cells):
            mean, gap = None if np.isnan(s.means[i]) else s.means[i], s.gaps[i]
            _, low, high = ends(accuracy(cell))
            known = s.ranks[i], mean, low, high, cell.diverged, s.mean_ranks[i], s.chances[i]
            bounds = (gap.value, gap.low, gap.high) if gap else (None, None, None)
            own.add(*known, *map(_finite, bounds), i in s.behind)
        for name, values in own.columns.items():
            columns[f"{s.start}: {name}"] = values
        shares |= {f"{s.start}: {name}" for name in SHARES}
    order = standings[-1].ranked()
    for name, values in columns.items():
        columns[name] = [values[i] for i in order]
    return Table(SLUG, "The order of the pairs from each start", columns, frozenset(shares))
