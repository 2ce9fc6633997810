"""Finding 2: what heterogeneous data cost against IID data, and whether a start closes that gap."""

import numpy as np

from headstart.looks.competitors import IID
from headstart.report.figures.bars import bars
from headstart.report.measures.step_costs import effect
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.panels.steps import table, told
from headstart.report.runs.grid import Grid, Slice
from headstart.report.words.methods import method
from headstart.wording.phrases import listed, some

SLUG = "iid-gap"


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing without runs on iid clients beside others."""
    between = grid.between
    heading = "What do non-IID data cost?"
    if between:
        heading = f"Do non-IID data cost less from {between[1]}?"
    part = grid.varied("partition", beside=IID)
    if part is None:
        return Missing(SLUG, heading, "runs on iid clients beside others, with all else equal")
    hard = against_iid(grid, part)
    found = told(grid, effect(grid, part, IID, hard), f"going from {IID} to {hard}")
    return Panel(
        SLUG,
        heading,
        Answer(found.says, found.sentence + ".", found.difference, found.judged),
        f"Final {grid.measure} by partition and start: bars are means, dots are seeds.",
        lambda figure, wide: bars(figure, wide, grid, part, IID),
        (0.85 + 2.3 * -(-min(len(part.pairs), 9) // 3), 0.85 + 2.1 * min(len(part.pairs), 6)),
        f"{some(list(map(method, part.pairs)))} on {listed(part.values)}",
        (table(grid, part, SLUG, "Accuracy by partition"),),
    )


def against_iid(grid: Grid, part: Slice) -> str:
    """The partition that IID is held against: that of the base setting, else the hardest."""

    def quality(value: str | float) -> float:
        means = []
        for start in grid.starts:
            for pair in part.pairs:
                cell = grid.cells.get((start, pair, part.at(value)))
                means.append(cell.mean if cell else np.nan)
        return float(np.nanmean(means)) if np.isfinite(means).any() else -1.0

    others = [value for value in part.values if value != IID]
    hard = grid.base.partition if grid.base.partition in others else min(others, key=quality)
    return str(hard)
