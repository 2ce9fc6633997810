"""A matrix of answers: each word on its colour, at its row and column."""

from typing import Any

import pytest
from matplotlib.colors import to_hex

from headstart.report.figures.matrix import COLOURS, HEAD, ROW, height, matrix
from headstart.report.figures.rendering import drawn

WORDS = [["yes", "no"], ["undecided", "not asked"], ["no", "no difference\nthat matters"]]


def test_each_answer_has_its_word_and_its_colour() -> None:
    def draw(figure: Any, wide: bool) -> None:
        matrix(figure, ["first?", "second?", "third?"], ["digits", "posts"], WORDS)

    with drawn(draw, height(3), True) as figure:
        (axes,) = figure.axes
        texts = {text.get_text() for text in axes.texts}
        assert {"digits", "posts", "first?", "second?", "third?", "Does it hold?"} < texts
        for i, answers in enumerate(WORDS):
            for j, word in enumerate(answers):
                patch: Any = axes.patches[2 * i + j]
                assert to_hex(patch.get_facecolor()) == to_hex(COLOURS[word][0])
                assert HEAD + i * ROW < patch.get_y() < HEAD + (i + 1) * ROW
    assert height(3) - height(2) == pytest.approx(ROW)
