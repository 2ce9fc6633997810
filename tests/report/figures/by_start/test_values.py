"""One mark a seed, and a line at their mean."""

import numpy as np

from headstart.report.figures.by_start.values import losses_and_accuracies, metrics_by_start
from headstart.report.figures.rendering import drawn

LOSSES = {"random": {0: 2.3, 1: 2.5}, "proxy": {0: 1.0, 1: 1.2}}
FINAL: dict[str, dict[int, float]] = {"random": {}, "proxy": {0: 0.9, 1: 0.8}}


def test_losses_stand_left_of_accuracies_and_a_diverged_start_says_so() -> None:
    def draw(figure: object, wide: bool) -> None:
        losses_and_accuracies(figure, wide, ["random", "proxy"], LOSSES, FINAL, "test accuracy")

    with drawn(draw, 2.0, True) as figure:
        left, right = figure.axes
        marks = [np.asarray(line.get_xdata()).tolist() for line in left.lines]
        assert marks == [[2.3, 2.5], [2.4, 2.4], [1.0, 1.2], [1.1, 1.1]]
        assert [text.get_text() for text in right.texts] == ["diverged"]
        assert np.asarray(right.lines[0].get_xdata()).tolist() == [0.9, 0.8]


def test_each_metric_has_axes_of_its_own() -> None:
    def draw(figure: object, wide: bool) -> None:
        metrics_by_start(figure, wide, ["random", "proxy"], {"F1": LOSSES, "recall": FINAL})

    with drawn(draw, 3.0, False) as figure:
        assert [axes.get_title(loc="left") for axes in figure.axes] == ["F1", "recall"]
        assert np.asarray(figure.axes[0].lines[2].get_xdata()).tolist() == [1.0, 1.2]
