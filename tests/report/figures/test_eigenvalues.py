"""Eigenvalues by start: a mark a seed, and ratios with their intervals beside the paper's."""

import math
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.eigenvalues import draw as eigenvalues
from headstart.report.figures.eigenvalues import plain_ticks
from headstart.report.figures.rendering import drawn
from headstart.statistics.intervals import Estimate

SPECTRA = {"random": ({0: 2.0, 1: 4.0}, {0: 30.0, 1: 50.0}), "proxy": ({0: 9.0, 1: 11.0}, {})}


@pytest.mark.parametrize("wide", [True, False])
def test_marks_are_the_values_and_ratios_have_their_interval(wide: bool) -> None:
    here = {"here": Estimate(math.log(4), math.log(2), math.log(8), 2, 0.01), "none": None}

    def draw(figure: Any, wide: bool) -> None:
        eigenvalues(figure, wide, SPECTRA, ("random", "proxy"), here, {"CIFAR-10": 0.5})

    with drawn(draw, 3.0, wide) as figure:
        left, right = figure.axes
        lines = [np.asarray(line.get_xdata()).tolist() for line in left.get_lines()]
        for marks in ([2.0, 4.0], [30.0, 50.0], [9.0, 11.0]):
            assert marks in lines
        assert left.get_xscale() == "log"
        ratios = [np.asarray(line.get_xdata()).tolist() for line in right.get_lines()]
        assert pytest.approx([2.0, 8.0]) in ratios
        assert pytest.approx([4.0]) in ratios
        assert [0.5] in ratios
        assert [text.get_text() for text in right.get_yticklabels()] == ["here", "paper, CIFAR-10"]


def test_one_start_has_no_ratios() -> None:
    def draw(figure: Any, wide: bool) -> None:
        eigenvalues(figure, wide, {"random": SPECTRA["random"]}, None, {}, {})

    with drawn(draw, 3.0, True) as figure:
        assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(1.0, 9.0, [1, 2, 5]), (0.5, 2000.0, [1, 10, 100, 1000]), (2.0, 200.0, [3, 10, 30, 100])],
)
def test_ticks_are_few_and_round(low: float, high: float, ticks: list[float]) -> None:
    def draw(figure: Any, wide: bool) -> None:
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        plain_ticks(axes, low, high)

    with drawn(draw, 2.0, True) as figure:
        found = [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high]
        assert found == pytest.approx(ticks)
