"""Finding 5: is the loss surface flatter where training begins? The largest eigenvalue of the
Hessian, by start.

Judged is the ratio of two starts, or the difference where an eigenvalue is not positive
(`headstart.report.measures.flatness`).
"""

import math

from headstart.report.figures import eigenvalues
from headstart.report.measures.before_training import initial
from headstart.report.measures.flatness import Spectra, convergence, mean, ratio, spectra
from headstart.report.panels.base import Answer, Missing, Panel, apart, judge
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import no_interval, number, size
from headstart.report.words.table import Rows, Table
from headstart.statistics.intervals import Estimate, paired_difference
from headstart.wording.phrases import count, listed

SLUG = "curvature"
PAPERS = {
    "CIFAR-10": (4843.13, 661.99),
    "FEMNIST": (355.51, 26.29),
    "Stack Overflow": (185.02, 151.05),
    "Reddit": (1309.68, 647.19),
}
"""arXiv 2206.15387: the top eigenvalue at the start of training, from random and from pre-trained
weights.
"""

RATIOS = {task: random / pretrained for task, (random, pretrained) in PAPERS.items()}
BEFORE, AFTER = 0, 1
"""Places in the spectra of a start."""

SOLVER = {
    "trace": "hessian_trace",
    "standard error of the trace": "hessian_trace_error",
    "residual": "hessian_residual",
    "products": "hessian_products",
}


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without the probe of curvature before the first round."""
    between, found = grid.between, spectra(grid)
    heading = "How sharply does the loss bend?"
    if between:
        heading = f"Is the loss flatter where {between[1]} begins?"
    if not all(before for before, _ in found.values()):
        need = "the probe curvature before the first round, from every start"
        return Missing(SLUG, heading, need)
    here = {}
    if between:
        for when, name in ((BEFORE, "here, before"), (AFTER, "here, after")):
            here[name] = ratio(found[between[0]][when], found[between[1]][when])
    rows = 0.42 * len(grid.starts)
    tables = [table(grid, found)]
    if between:
        tables.append(ratios(found, between))
    return Panel(
        SLUG,
        heading,
        answer(grid, found),
        caption(grid, found),
        lambda figure, wide: eigenvalues.draw(figure, wide, found, between, here, RATIOS),
        (1.0 + max(rows, 1.35), 1.6 + rows + (1.6 if between else 0)),
        f"all runs in the setting {grid.base}",
        tables,
    )


def caption(grid: Grid, found: Spectra) -> str:
    """How to read the figure."""
    marks, versus = "", ""
    if all(after for _, after in found.values()):
        marks = " Hollow: before the first round. Filled: after the last, mean over pairs."
    if grid.between:
        reference, other = grid.between
        versus = (
            f"Beside it, how many times larger it is from {reference} than from {other}, with its "
            "interval; the paper\u2019s ratios are of its own tasks and models and have none."
        )
    return (
        "The largest eigenvalue of the Hessian of the training loss on a fixed sample, one mark a "
        f"seed, with the geometric mean.{marks} {versus}{accuracy(grid)}"
    )


def accuracy(grid: Grid) -> str:
    """How well the measurements converged, in words."""
    found = convergence(grid)
    if found is None:
        return ""
    said = f" Relative residual at most {found.residual:.1g}"
    many = count(found.measurements, "measurement")
    return f"{said}; {found.failed} of {many} did not converge." if found.failed else f"{said}."


def times(e: Estimate, unit: str = "") -> str:
    """A ratio with its interval, from logarithms.

    >>> times(Estimate(math.log(7.32), math.log(5.0), math.log(1070.0), 3))
    '7.3 [5.0, 1,070]'
    >>> times(Estimate(0.0, None, None, 1))
    '1.0 (no interval from one seed)'
    """
    interval = f"({no_interval(e)})"
    if e.low is not None and e.high is not None:
        interval = f"[{_factor(e.low)}, {_factor(e.high)}]"
    return f"{_factor(e.value)}{unit} {interval}"


def _factor(logarithm: float) -> str:
    value = math.exp(min(logarithm, 700.0))
    return f"{value:.2g}" if value < 1 else f"{value:.1f}" if value < 100 else size(value)


def answer(grid: Grid, found: Spectra) -> Answer:
    """Whether the eigenvalue is smaller from the other start; before the first round is judged."""
    if grid.between is None:
        start = grid.starts[0]
        value = size(mean(found[start][BEFORE]))
        return Answer(None, f"from {start}, the only start, it is {value} before training.")
    reference, other = grid.between
    said, judged, units, short = [], [], [], []
    moments = (
        (BEFORE, "before the first round the largest eigenvalue is "),
        (AFTER, "after the last "),
    )
    for when, words in moments:
        here, there = found[reference][when], found[other][when]
        if not here or not there:
            continue
        if not here.keys() & there.keys():
            return Answer("undecided", f"{apart(reference, other)}.")
        logs = ratio(here, there)
        each = logs or paired_difference(here, there, step=0.0)
        judged.append(each)
        units.append("logarithm of the ratio" if logs else "eigenvalue")
        short.append(times(logs, " times") if logs else number(each))
        compared = f"difference {number(each)}, no ratio of what is not positive"
        compared = f"ratio {times(logs)}" if logs else compared
        values = f"{size(mean(here))} from {reference} and {size(mean(there))} from {other}"
        said.append(f"{words}{values}, {compared}")
    paper = listed(f"{value:.1f} ({task})" for task, value in RATIOS.items())
    return Answer(
        judge(judged[0]),
        f"{'; '.join(said)} (judged by the first). The paper\u2019s ratios: {paper}.",
        short[0],
        judged[0],
        unit=units[0],
    )


def table(grid: Grid, found: Spectra) -> Table:
    """A row for each start and seed; trace and solver are those before the first round."""
    rows = Rows("start", "seed", "before", "after", *SOLVER)
    for start, (before, after) in found.items():
        solver = [initial(grid, start, metric) for metric in SOLVER.values()]
        for seed, value in before.items():
            more = [by_seed.get(seed) for by_seed in solver]
            rows.add(start, seed, value, after.get(seed), *more)
    caption = "the largest eigenvalue before the first round and after the last"
    return rows.table(SLUG, caption)


def ratios(found: Spectra, between: tuple[str, str]) -> Table:
    """Here and in the paper: how many times larger the eigenvalue is from the first start."""
    reference, other = between
    rows = Rows("where", "first start", "other start", "ratio", "low", "high")
    for when, words in ((BEFORE, "here, before the first round"), (AFTER, "here, after the last")):
        here, there = found[reference][when], found[other][when]
        if here and there:
            logs = ratio(here, there)
            ends = (logs.value, logs.low, logs.high) if logs else (None, None, None)
            factors = [None if end is None else math.exp(end) for end in ends]
            rows.add(words, mean(here), mean(there), *factors)
    for task, (random, pretrained) in PAPERS.items():
        rows.add(f"the paper, {task}", random, pretrained, RATIOS[task], None, None)
    caption = f"the largest eigenvalue from {reference} over that from {other}"
    return rows.table(f"{SLUG}-ratios", caption)
