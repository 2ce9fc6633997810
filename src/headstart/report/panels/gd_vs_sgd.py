"""Finding 9: one full-batch gradient a client (GD) against local SGD, by server optimizer and
start.
"""

import numpy as np

from headstart.looks.competitors import Pair, family
from headstart.report.figures.dumbbells import Dumbbell, dumbbells, heights
from headstart.report.panels.base import Answer, Missing, Panel, judge
from headstart.report.panels.steps import ends
from headstart.report.runs.grid import Grid
from headstart.report.runs.margins import amount
from headstart.report.words.numbers import points
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, paired_difference

SLUG, HEADING = "gd-vs-sgd", "Are full-batch GD clients about as good as SGD clients?"
Couples = dict[str, tuple[Pair, Pair]]
"""Server optimizer -> its pairs with gd and with sgd clients."""


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without gd and sgd clients under one server optimizer."""
    couples = couples_of(grid.pairs())
    if not couples:
        need = "runs with both gd and sgd clients under one server optimizer"
        return Missing(SLUG, HEADING, need)
    rows = []
    for server, (gd, sgd) in couples.items():
        both = {start: (_mean(grid, start, gd), _mean(grid, start, sgd)) for start in grid.starts}
        rows.append(Dumbbell(server, both))
    names = "gd", "sgd"
    return Panel(
        SLUG,
        HEADING,
        answer(grid, couples),
        f"Final {grid.measure} by server optimizer: hollow marks for gd clients, filled for sgd. "
        f"About as good: at most {100 * allowed(grid):g} points lower, the margin of this study.",
        lambda figure, wide: dumbbells(figure, wide, grid.starts, rows, names, grid.measure),
        heights(rows, grid.starts, names),
        f"gd and sgd clients in the setting {grid.base}",
        (table(grid, couples),),
    )


def allowed(grid: Grid) -> float:
    """How much less accurate gd clients may be and be about as good, as a share."""
    return (amount(grid.records.settings, SLUG) or 0.0) / 100


def couples_of(pairs: list[Pair]) -> Couples:
    """The pairs of gd and of sgd clients under one server optimizer."""
    found: Couples = {}
    for sgd in pairs:
        for gd in pairs:
            kinds = family(sgd.client), family(gd.client)
            if sgd.server == gd.server and kinds == ("sgd", "gd"):
                found[sgd.server] = gd, sgd
    return found


def _mean(grid: Grid, start: str, pair: Pair) -> float | None:
    cell = grid.cell(start, pair)
    return cell.mean if cell.accuracy else None


def lead(grid: Grid, start: str, couple: tuple[Pair, Pair]) -> Estimate | None:
    """How much more accurate gd clients are than sgd clients from a start."""
    gd, sgd = couple
    return paired_difference(grid.cell(start, gd).accuracy, grid.cell(start, sgd).accuracy)


def answer(grid: Grid, couples: Couples) -> Answer:
    """Judged with the Adam server, as in the paper, or with the server that suits gd best."""
    between = grid.between or (grid.starts[0],)
    judged_from = between[-1]

    def quality(server: str) -> tuple[bool, float]:
        gd = grid.cell(judged_from, couples[server][0])
        return family(server) == "adam", 0.0 if family(server) == "adam" else _or_last(gd.mean)

    server = max(couples, key=quality)
    found = {start: lead(grid, start, couples[server]) for start in between}
    said = []
    for start, difference in reversed(found.items()):
        why = f"not comparable from {start} (a run diverged or seeds differ)"
        said.append(f"{points(difference)} from {start}" if difference else why)
    judged = found[judged_from]
    return Answer(
        judge(judged, allowed(grid)),
        f"with the {server} server, gd against sgd clients is {', '.join(said)} "
        f"(judged from {judged_from}).",
        points(judged) if judged else "not comparable",
        judged,
        -allowed(grid),
    )


def _or_last(mean: float) -> float:
    return float(np.nan_to_num(mean, nan=-1.0))


def table(grid: Grid, couples: Couples) -> Table:
    """A row for each server optimizer and start."""
    shares = "gd", "sgd", "difference", "low", "high"
    rows = Rows("server", "start", *shares)
    for server, (gd, sgd) in couples.items():
        for start in grid.starts:
            means = _mean(grid, start, gd), _mean(grid, start, sgd)
            rows.add(server, start, *means, *ends(lead(grid, start, (gd, sgd))))
    return rows.table(SLUG, "gd against sgd clients", *shares)
