"""How accuracy is shared out over clients and over classes: the table and the sentence."""

from headstart.looks.competitors import Pair
from headstart.report.measures.end_metrics import at_the_end, measured
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent
from headstart.report.words.table import Rows, Table
from headstart.wording.phrases import listed


def table(grid: Grid) -> Table | None:
    """A row for each start and pair of the base setting; None where nothing was measured."""
    metrics = measured(grid)
    rows = Rows("start", "pair", "method", *metrics.values())
    for cell in grid.at_base():
        values = [at_the_end(grid, cell, metric) for metric in metrics]
        rows.add(cell.start, str(cell.pair), method(cell.pair), *values)
    caption = "Accuracy over clients and classes, mean over seeds"
    return rows.table("shares", caption, *metrics.values()) if metrics else None


def told(grid: Grid, pair: Pair) -> str:
    """The same at one pair from every start, in a sentence; empty where nothing was measured."""
    said = []
    for metric, name in measured(grid).items():
        each = []
        for start in grid.starts:
            value = at_the_end(grid, grid.cell(start, pair), metric)
            if value is not None:
                each.append(f"{percent(value)} from {start}")
        if each:
            said.append(f"{name} {listed(each)}")
    return f"With {method(pair)}, at the end: {'; '.join(said)}." if said else ""
