"""Bars by partition: as high as the means, with a dot for every seed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.bars import bars
from headstart.report.figures.rendering import drawn
from headstart.report.judgement.reading import read


@pytest.mark.parametrize("wide", [True, False])
def test_a_bar_is_as_high_as_the_mean_and_iid_stands_left(
    wide: bool, study: Callable[..., Path]
) -> None:
    grid = read(study()).grid
    part = grid.varied("partition", "iid")
    assert part is not None

    def draw(figure: Any, wide: bool) -> None:
        bars(figure, wide, grid, part, "iid")

    with drawn(draw, 4.0, wide) as figure:
        axes, pair = figure.axes[0], part.pairs[0]
        assert axes.get_xticklabels()[0].get_text() == "iid"
        values = ["iid", *(value for value in part.values if value != "iid")]
        means = [
            grid.cells[start, pair, part.at(value)].mean
            for start in grid.starts
            for value in values
        ]  # fmt: skip
        drawn_bars: list[Any] = list(axes.patches)
        assert [bar.get_height() for bar in drawn_bars] == pytest.approx(means)
        dots = [line for line in axes.get_lines() if np.size(line.get_xdata()) == len(grid.seeds)]
        first = grid.cells[grid.starts[0], pair, part.at("iid")]
        assert np.asarray(dots[0].get_ydata()).tolist() == list(first.accuracy.values())
