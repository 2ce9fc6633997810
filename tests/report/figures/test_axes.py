"""Frames in inches, legends that fit, and panels below one another."""

from typing import Any

import pytest

from headstart.report.figures.axes import (
    columns_of_legend,
    frame,
    label_below,
    legend,
    percent_axis,
    room_for_legend,
    small_multiples,
)
from headstart.report.figures.rendering import drawn


def test_a_frame_is_in_inches() -> None:
    def draw(figure: Any, wide: bool) -> None:
        figure.add_subplot()
        frame(figure, 0.5, 0.25, 0.4, 0.3)

    with drawn(draw, 3.0, True) as figure:
        width, height = figure.get_size_inches()
        box = figure.axes[0].get_position()
        assert (box.x0 * width, box.y0 * height) == pytest.approx((0.5, 0.3))
        assert ((1 - box.x1) * width, (1 - box.y1) * height) == pytest.approx((0.25, 0.4))


def test_only_so_many_panels_are_seen_and_the_last_of_each_column_is_labelled() -> None:
    def draw(figure: Any, wide: bool) -> None:
        seen = small_multiples(figure, 5, 3, sharex=True)
        label_below(seen, 3, "round")

    with drawn(draw, 3.0, True) as figure:
        assert [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False]
        labels = [axes.get_xlabel() for axes in figure.axes[:5]]
        assert labels == ["", "", "round", "round", "round"]


def test_as_many_entries_stand_beside_each_other_as_fit() -> None:
    assert columns_of_legend(["a" * 10] * 4, 20.0) == 4
    assert columns_of_legend(["a" * 10] * 4, 2.7) == 2
    assert columns_of_legend(["a" * 100], 1.0) == 1
    assert room_for_legend(True, ["a"]) < room_for_legend(False, [letter * 40 for letter in "abcd"])


def test_a_legend_names_starts_and_what_else_there_is() -> None:
    from matplotlib.lines import Line2D

    def draw(figure: Any, wide: bool) -> None:
        figure.add_subplot().plot([0, 1], [0.25, 0.75])
        percent_axis(figure.axes[0].yaxis)
        legend(figure, ("random", "proxy"), 0.5, [(Line2D([], []), "after")])

    with drawn(draw, 2.0, True) as figure:
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == ["random", "proxy", "after"]
        figure.canvas.draw()
        assert figure.axes[0].get_yticklabels()[1].get_text().endswith("%")
