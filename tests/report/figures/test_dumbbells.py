"""Dumbbells: hollow before, filled after, a word where one is missing."""

from typing import Any

import numpy as np
import pytest

from headstart.report.figures.dumbbells import Dumbbell, dumbbells, heights
from headstart.report.figures.rendering import drawn

STARTS = ("random", "proxy")
ROWS = [
    Dumbbell("sgd", {"random": (0.5, 0.7), "proxy": (0.8, 0.6)}),
    Dumbbell("adam", {"random": (0.4, None), "proxy": (0.9, 0.9)}),
]


@pytest.mark.parametrize("wide", [True, False])
def test_ends_are_the_values_and_what_diverged_is_said(wide: bool) -> None:
    def draw(figure: Any, wide: bool) -> None:
        dumbbells(figure, wide, STARTS, ROWS, ("gd", "sgd"), "accuracy")

    with drawn(draw, heights(ROWS, STARTS, ("gd", "sgd"))[not wide], wide) as figure:
        (axes,) = figure.axes
        lines = [np.asarray(line.get_xdata()).tolist() for line in axes.get_lines()]
        for both in ([0.5, 0.7], [0.8, 0.6], [0.9, 0.9]):
            assert both in lines
        assert [text.get_text() for text in axes.texts] == ["sgd diverged"]
        assert [text.get_text() for text in axes.get_yticklabels()] == ["sgd", "adam"]


def test_more_rows_and_starts_take_more_room() -> None:
    ends = ("before", "after")
    two = heights(ROWS, STARTS, ends)
    four = heights([*ROWS, *ROWS], STARTS, ends)
    assert four[0] > two[0]
    assert four[1] > two[1]
    assert ROWS[0].has_all()
    assert not ROWS[1].has_all()
