"""The bump chart: on each axis the best pair is on top, and what diverged below everything."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.bump import bump
from headstart.report.figures.rendering import drawn
from headstart.report.runs.grid import Grid


@pytest.mark.parametrize("wide", [True, False])
def test_heights_are_in_the_order_of_the_means(wide: bool, table: Callable[..., Grid]) -> None:
    grid = table(
        {
            "random": {"sgd + adam": [0.9, 0.9], "gd + adam": [0.5, 0.5], "nova + sgd": [0.7, 0.7]},
            "proxy": {"sgd + adam": [0.6, 0.6], "gd + adam": [0.8, 0.8], "nova + sgd": [None] * 2},
        }
    )

    def draw(figure: Any, wide: bool) -> None:
        bump(figure, wide, grid)

    with drawn(draw, 4.0, wide) as figure:
        (axes,) = figure.axes
        marks: dict[float, list[float]] = {0.0: [], 1.0: []}
        for line in axes.get_lines():
            x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
            if len(x) == 1:
                marks[float(x[0])].append(float(y[0]))
        for place, standing in enumerate(grid.standings.values()):
            means = np.nan_to_num(standing.means, nan=-1.0)
            assert np.argsort(marks[float(place)]).tolist() == np.argsort(means).tolist()
        assert min(marks[1.0]) == 0.0
        names = {text.get_text() for text in axes.texts}
        assert {"random", "proxy"} <= names
