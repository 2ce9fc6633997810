"""Curves over rounds: the mean over seeds, the target as a line, and what diverged in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.over_rounds import accuracies, metrics
from headstart.report.figures.rendering import drawn
from headstart.report.runs.grid import Grid
from headstart.report.runs.records import Run

PAIR = "sgd + adam"


def grid_of(table: Callable[..., Grid], with_curves: Callable[..., Grid], **given: Any) -> Grid:
    grid = table({"random": {PAIR: [0.6, 0.8]}, "proxy": {PAIR: [0.9, None]}}, **given)

    def points(run: Run) -> list[tuple[int, float]]:
        end = run.test_accuracy
        return [] if end is None else [(0, 0.1), (50, 0.5), (100, end)]

    return with_curves(grid, "test_accuracy", points)


@pytest.mark.parametrize("wide", [True, False])
def test_the_line_is_the_mean_over_seeds(
    wide: bool, table: Callable[..., Grid], with_curves: Callable[..., Grid]
) -> None:
    grid = grid_of(table, with_curves, rounds_to_target={"random": [50, 50]})

    def draw(figure: Any, wide: bool) -> None:
        accuracies(figure, wide, grid, grid.pairs(), "test_accuracy")

    with drawn(draw, 3.0, wide) as figure:
        (axes,) = figure.axes
        lines = [np.asarray(line.get_ydata(), dtype=float).tolist() for line in axes.get_lines()]
        assert pytest.approx([0.1, 0.5, 0.7]) in lines
        assert [0.8, 0.8] in lines  # the target
        assert [text.get_text() for text in axes.texts] == ["1 diverged"]


def test_metrics_have_an_axis_each_and_accuracies_are_percentages(
    table: Callable[..., Grid], with_curves: Callable[..., Grid]
) -> None:
    grid = with_curves(
        grid_of(table, with_curves), "pseudo_gradient_norm", lambda run: [(0, 2.0), (100, 1.0)]
    )
    names = {"test_accuracy": "accuracy", "pseudo_gradient_norm": "norm"}

    def draw(figure: Any, wide: bool) -> None:
        metrics(figure, wide, grid, grid.pairs()[0], names)

    with drawn(draw, 3.0, True) as figure:
        figure.canvas.draw()
        shown = {axes.get_title("left"): axes for axes in figure.axes}
        assert list(shown)[:2] == ["accuracy", "norm"]
        labels = [text.get_text() for text in shown["accuracy"].get_yticklabels()]
        assert all(text.endswith("%") for text in labels)
        assert not any(text.get_text().endswith("%") for text in shown["norm"].get_yticklabels())
