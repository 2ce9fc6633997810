"""Finding 2: what heterogeneous data cost against IID data, and whether a start closes that gap."""

from typing import Any

import numpy as np

from headstart.report.figures.axes import frame, legend, percent_axis, short
from headstart.report.figures.rendering import INK, MUTED, PAPER, style
from headstart.report.measures.effects import PERCENT, effect, rows, told
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import IID
from headstart.report.runs.grid import Slice, Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import Answer, listed, some
from headstart.report.words.table import Table

SLUG = "iid-gap"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Do non-IID data cost less from {between[1]}?" if between else "What do non-IID data cost?"
    part = study.varied("partition", beside=IID)
    if part is None:
        return Missing(SLUG, heading, "runs on iid clients beside others, with all else equal")
    easy, hard = IID, against_iid(study, part)
    found = told(study, effect(study, part, easy, hard), f"going from {easy} to {hard}")
    return Panel(
        SLUG,
        heading,
        Answer(found.says, found.sentence + ".", found.difference, found.judged),
        f"Final {study.measure} by partition and start: bars are means, dots are seeds.",
        lambda figure, wide: draw(figure, wide, study, part, easy),
        (0.85 + 2.3 * -(-min(len(part.pairs), 9) // 3), 0.85 + 2.1 * min(len(part.pairs), 6)),
        f"{some(part.pairs)} on {listed(part.values)}",
        (Table(SLUG, "Accuracy by partition", rows(study, part), PERCENT),),
    )


def against_iid(study: Study, part: Slice) -> str:
    """The partition that IID is held against: that of the base setting where it was run, else the hardest."""

    def quality(value: str | float) -> float:
        means = [c.mean for s in study.starts for p in part.pairs if (c := study.cells.get((s, p, part.at(value))))]
        return float(np.nanmean(means)) if np.isfinite(means).any() else -1.0

    others = [value for value in part.values if value != IID]
    hard = study.base.partition if study.base.partition in others else min(others, key=quality)
    return str(hard)


def draw(figure: Any, wide: bool, study: Study, part: Slice, easy: str) -> None:
    pairs = part.pairs[: 9 if wide else 6]
    columns = min(3, len(pairs)) if wide else 1
    grid = figure.subplots(-(-len(pairs) // columns), columns, sharey=True, squeeze=False)
    frame(figure, 0.5, 0.1, 0.5 if wide or len(study.starts) < 3 else 0.68, 0.3, hspace=0.45, wspace=0.12)
    legend(figure, study.starts, 0.5)
    values = [easy, *(value for value in part.values if value != easy)]
    width = 0.8 / len(study.starts)
    for axes, pair in zip(grid.flat, pairs, strict=False):
        for i, start in enumerate(study.starts):
            colour, _, marker = style(study.starts, start)
            for x, value in enumerate(values):
                cell = study.cells.get((start, pair, part.at(value)))
                if cell is None:
                    continue
                place = x + (i - (len(study.starts) - 1) / 2) * width
                if not cell.accuracy:
                    axes.text(place, 0.01, "diverged", rotation=90, ha="center", va="bottom", color=colour)
                    continue
                axes.bar(place, cell.mean, width * 0.86, color=colour, alpha=0.28, lw=0)
                axes.hlines(cell.mean, place - width * 0.43, place + width * 0.43, color=colour, lw=2)
                axes.plot(
                    np.linspace(-0.16, 0.16, len(cell.accuracy)) * width + place, list(cell.accuracy.values()), marker,
                    ms=4, color=colour, mec=PAPER, mew=0.6,
                )  # fmt: skip
                axes.annotate(
                    f"{100 * cell.mean:.1f}", (place, max(cell.accuracy.values())), (0, 5), textcoords="offset points",
                    ha="center", va="bottom", color=INK, fontsize=8,
                )  # fmt: skip
        axes.set_title(short(study.brief(pair), 40), color=MUTED if len(pairs) == 1 else INK)
        room = 24 if wide else 20 if len(values) < 3 else 18
        axes.set_xticks(range(len(values)), [short(str(value), room) for value in values], color=INK)
        axes.set_xlim(-0.55, len(values) - 0.45)  # also where the last bar is one that diverged
        axes.set_ylim(0, 1.1)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
        percent_axis(axes.yaxis)
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
