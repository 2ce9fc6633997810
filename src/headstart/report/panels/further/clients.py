"""Whom a start helps, client by client, and whom it makes worse off."""

from dataclasses import replace

import numpy as np

from headstart.report.figures.client_gains import gains_of_clients
from headstart.report.measures import clients
from headstart.report.measures.clients import Helped, by_seed, of_clients, worst_tenth
from headstart.report.panels.base import Answer, Missing, Panel, judge
from headstart.report.panels.steps import ends
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent, points
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, t_interval

SLUG = "clients"
MEANS = "mean of clients", "worst tenth", "worst client"
PERCENTS = (*MEANS, "worse off", "low", "high", "better off")
OWN_ROWS = "Each client is measured on its own test rows."
OWN_MIX = (
    "No client has test rows of its own here: each is measured on all test rows, weighted to its "
    "mix of labels."
)


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without the probe `clients`, or with one start."""
    need = "the probe clients, and two starts whose best pairs ran to their end"
    if grid.between is None:
        return Missing(SLUG, "Whom does the start help?", need)
    reference, other = grid.between
    heading = f"Does {other} help most clients?"
    best = {start: standing.best_cell for start, standing in grid.standings.items()}
    first = best[reference]
    found: dict[str, Helped] = {}
    for start, cell in best.items():
        if start != reference and first is not None and cell is not None:
            helped = clients.helped(grid, first, cell)
            if helped is not None:
                found[start] = helped
    if other not in found:
        return Missing(SLUG, heading, need)
    gains = {start: each.gains for start, each in found.items()}
    whose = OWN_ROWS if clients.on_own_rows(grid, found[other].other) else OWN_MIX
    return Panel(
        SLUG,
        heading,
        replace(answer(found[other]), picked_from=len(grid.comparable())),
        f"The share of clients that gain at most so much over {reference}, each start with its "
        "best pair at the last round: where a curve crosses the dashed line is the share that "
        f"loses. Thick: all seeds; thin: each. {whose}",
        lambda figure, wide: gains_of_clients(figure, wide, grid.starts, reference, gains),
        (3.0, 3.0),
        f"the last round of the best pair of each start in the setting {grid.base}",
        (table(grid, best, found),),
    )


def answer(found: Helped) -> Answer:
    """Whether the median client gains."""
    reference, other = found.reference.start, found.other.start
    over = "over seeds" if len(found.gains) > 1 else f"over {found.clients:,} clients (Wilson)"
    theirs, ours = method(found.reference.pair), method(found.other.pair)
    sentence = (
        f"the median client changes by {points(found.middle)} from {other} ({ours}) "
        f"against {reference} ({theirs}); {_share(found.worse)} of clients are worse "
        f"off and {_share(found.better)} better off, with intervals {over}; the worst tenth of "
        f"clients changes by {points(found.tenth)}, the worst client by {points(found.worst)}."
    )
    return Answer(judge(found.middle), sentence, f"{_share(found.worse)} worse off", found.middle)


def table(grid: Grid, best: dict[str, Cell | None], found: dict[str, Helped]) -> Table:
    """A row for each start: its clients, and who is worse off than from the reference."""
    rows = Rows("start", "pair", "method", *PERCENTS, "clients", "seeds")
    for start, cell in best.items():
        accuracies = of_clients(grid, cell) if cell else {}
        if cell is None or not accuracies:
            continue
        means = []
        for summary in (lambda values: float(np.mean(list(values))), worst_tenth, min):
            means.append(t_interval(by_seed(accuracies, summary).values()).value)
        helped = found.get(start)
        worse = ends(helped.worse if helped else None)
        better = helped.better.value if helped else None
        most = max(map(len, accuracies.values()))
        rows.add(
            start, str(cell.pair), method(cell.pair), *means, *worse, better, most, len(accuracies)
        )
    return rows.table(SLUG, "Clients by start, at the last round", *PERCENTS)


def _share(share: Estimate) -> str:
    if share.low is None:
        return percent(share.value)
    return f"{percent(share.value)} [{100 * share.low:.1f}, {100 * (share.high or 0):.1f}]"
