"""Finding 3: do more local epochs lower the final accuracy, and does a start change that?"""

from typing import Any

import numpy as np

from headstart.epochs import in_words
from headstart.report.figures.axes import frame, legend, percent_axis, short
from headstart.report.figures.rendering import style
from headstart.report.measures.effects import PERCENT, effect, rows, told
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Slice, Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import DIVERGED, SHORT, Answer, left_out, listed, points, some
from headstart.report.words.table import Table
from headstart.statistics import effects
from headstart.statistics.intervals import t_interval

SLUG = "local-epochs"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Do more local epochs harm less from {between[1]}?" if between else "Do more local epochs harm?"
    part = study.varied("local_epochs")
    if part is None:
        return Missing(SLUG, heading, "runs with two or more numbers of local epochs and all else equal")
    few, many = part.values[0], part.values[-1]
    found = told(study, effect(study, part, few, many), f"going from {few} to {in_words(float(many))}")
    return Panel(
        SLUG,
        heading,
        Answer(found.says, found.sentence + slopes(study, part) + ".", found.difference, found.judged),
        f"Final {study.measure} over the number of local epochs (log scale): mean, and the range of the seeds.",
        lambda figure, wide: draw(figure, wide, study, part),
        (0.9 + 2.1 * -(-min(len(part.pairs), 9) // 3), 0.95 + 1.9 * min(len(part.pairs), 6)),
        f"{some(part.pairs)} with {listed(part.values)} local epochs",
        (Table(SLUG, "Accuracy by number of local epochs", rows(study, part), PERCENT),),
    )


def slopes(study: Study, part: Slice) -> str:
    """Change per doubling of the epochs, where three or more numbers of epochs were run."""
    settings = [part.at(value) for value in part.values]
    ran = [p for p in part.pairs if all((s, p, at) in study.cells for s in study.starts for at in settings)]
    together = study.together(ran, settings)
    whole = [p for p in together if all(study.cell(s, p, at).accuracy for s in study.starts for at in settings)]
    if len(part.values) < 3 or not whole:
        return ""
    said = []
    for start in study.starts:
        means = [effects.mean_over([study.cell(start, pair, at).accuracy for pair in whole]) for at in settings]
        found = effects.slope([float(np.log2(float(v))) for v in part.values], means)
        if found:
            said.append(f"{points(t_interval(found.values()))} from {start}")
    set_aside = left_out((len(together) - len(whole), DIVERGED), (len(ran) - len(together), SHORT))
    return f"; per doubling {', '.join(said)}{f' ({set_aside})' if set_aside else ''}" if said else ""


def draw(figure: Any, wide: bool, study: Study, part: Slice) -> None:
    pairs = part.pairs[: 9 if wide else 6]
    columns = min(3, len(pairs)) if wide else 1
    grid = figure.subplots(-(-len(pairs) // columns), columns, sharey=True, sharex=True, squeeze=False)
    frame(figure, 0.5, 0.15, 0.5 if wide or len(study.starts) < 3 else 0.68, 0.45, hspace=0.35, wspace=0.1)
    legend(figure, study.starts, 0.5)
    for axes, pair in zip(grid.flat, pairs, strict=False):
        for start in study.starts:
            colour, dash, marker = style(study.starts, start)
            cells = [study.cells.get((start, pair, part.at(value))) for value in part.values]
            points_ = [(v, c) for v, c in zip(part.values, cells, strict=True) if c and c.accuracy]
            low, high = ([f(c.accuracy.values()) for _, c in points_] for f in (min, max))
            axes.vlines([v for v, _ in points_], low, high, color=colour, lw=3.5, alpha=0.3)
            axes.plot(
                [v for v, _ in points_], [c.mean for _, c in points_], color=colour, ls=dash, marker=marker, ms=4.5
            )
            for value in (v for v, c in zip(part.values, cells, strict=True) if c and not c.accuracy):
                axes.plot(value, 0.02, "x", color=colour, transform=axes.get_xaxis_transform(), clip_on=False)
                axes.annotate(
                    "diverged",
                    (value, 0.06),
                    xycoords=axes.get_xaxis_transform(),
                    color=colour,
                    ha="center",
                    fontsize=7.6,
                )
        axes.set_xscale("log", base=2)
        axes.set_xticks([float(v) for v in part.values], [str(v) for v in part.values])
        axes.minorticks_off()
        axes.margins(x=0.06, y=0.12)
        axes.set_title(short(study.brief(pair), 40))
        percent_axis(axes.yaxis)
    for axes in grid[-1]:
        axes.set_xlabel("local epochs")
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
