"""What the user's own probes measured: the last value of each metric, from each start."""

from headstart.report.figures.by_start.values import metrics_by_start
from headstart.report.measures.own_metrics import last_values, unknown
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.panels.steps import ends
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import number, size
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, paired_difference, t_interval
from headstart.wording.phrases import count, listed, some

SLUG = "own-metrics"
MOST_DRAWN = 12
"""Metrics that the figure has room for; the table has all."""

Values = dict[str, dict[str, dict[int, float]]]
"""metric -> start -> seed -> last value"""


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing where every metric has a panel of its own."""
    heading = "What else was measured?"
    values: Values = {}
    for metric in unknown(grid):
        by_start: dict[str, dict[int, float]] = {}
        for start, standing in grid.standings.items():
            if standing.best_cell is not None:
                by_start[start] = last_values(grid, standing.best_cell, metric)
        if any(by_start.values()):
            values[metric] = by_start
    if not values:
        return Missing(SLUG, heading, "a probe of your own")
    drawn = dict(list(values.items())[:MOST_DRAWN])
    starts = grid.starts
    return Panel(
        SLUG,
        heading,
        answer(grid, values),
        "The last value of each metric, with each start\u2019s best pair: a mark a seed, a line at "
        "their mean. Each metric has a scale of its own. Nothing is judged from them.",
        lambda figure, wide: metrics_by_start(figure, wide, starts, drawn),
        (
            0.2 + len(drawn) * (0.5 + 0.2 * len(starts)),
            0.2 + len(drawn) * (0.5 + 0.2 * len(starts)),
        ),
        f"{some(list(values))} at the last round of the best pairs in the setting {grid.base}",
        (table(grid, values),),
    )


def answer(grid: Grid, values: Values) -> Answer:
    """The values of the first metrics in a sentence; none is judged."""
    said = []
    for metric, by_start in list(values.items())[:3]:
        each = []
        for start, by_seed in by_start.items():
            if by_seed:
                each.append(f"{_told(t_interval(by_seed.values()))} from {start}")
        said.append(f"{metric} is {listed(each)}")
    more = len(values) - len(said)
    rest = f"; {count(more, 'more metric')} in the table" if more > 0 else ""
    return Answer(None, f"at the end {'; '.join(said)}{rest}.", is_judged=False)


def table(grid: Grid, values: Values) -> Table:
    """A row for each metric and start, with the difference from the first start, paired by seed."""
    rows = Rows("metric", "start", "last value", "low", "high", "seeds", "less the first start")
    first = grid.starts[0]
    for metric, by_start in values.items():
        for start, by_seed in by_start.items():
            if by_seed:
                found = t_interval(by_seed.values())
                difference = None
                if start != first and by_start.get(first):
                    difference = paired_difference(by_seed, by_start[first])
                told = number(difference, digits=3) if difference else ""
                rows.add(metric, start, *ends(found), found.n, told)
    return rows.table(SLUG, "Last values of other metrics")


def _told(e: Estimate) -> str:
    if e.low is None or e.high is None:
        return size(e.value)
    return f"{size(e.value)} [{size(e.low)}, {size(e.high)}]"
