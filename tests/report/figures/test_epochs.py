"""Accuracy over local epochs: the line goes through the means, at the numbers of epochs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.epochs import epochs
from headstart.report.figures.rendering import drawn
from headstart.report.judgement.reading import read


@pytest.mark.parametrize("wide", [True, False])
def test_lines_go_through_the_means(wide: bool, study: Callable[..., Path]) -> None:
    grid = read(study()).grid
    part = grid.varied("local_epochs")
    assert part is not None

    def draw(figure: Any, wide: bool) -> None:
        epochs(figure, wide, grid, part)

    with drawn(draw, 4.0, wide) as figure:
        for axes, pair in zip(figure.axes, part.pairs, strict=False):
            for line, start in zip(axes.get_lines(), grid.starts, strict=False):
                means = [grid.cells[start, pair, part.at(value)].mean for value in part.values]
                assert np.asarray(line.get_xdata()).tolist() == list(part.values)
                assert np.asarray(line.get_ydata()).tolist() == pytest.approx(means)
            assert axes.get_xscale() == "log"
