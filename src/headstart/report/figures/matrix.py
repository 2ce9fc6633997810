"""A matrix of answers: a row a question, a column a study, the answer as a word on its colour."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headstart.report.figures.rendering import GRID, INK, MUTED, PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    "yes": ("#0a6c8e", PAPER),
    "no": ("#b3560d", PAPER),
    "no difference\nthat matters": ("#c3cdd6", INK),
    "undecided": (PAPER, MUTED),
    "not asked": (GRID, MUTED),
}
"""Of an answer: its ground and its word."""

ROW, HEAD, LABELS = 0.42, 0.62, 2.95
"""Inches: the height of a row and of the head, the width of the questions."""


def height(rows: int) -> float:
    """The height of the figure in inches."""
    return HEAD + ROW * rows + 0.06


def matrix(
    figure: "Figure", rows: Sequence[str], columns: Sequence[str], words: Sequence[Sequence[str]]
) -> None:
    """Draw the answers.

    Args:
        figure: where to draw.
        rows: the questions.
        columns: the names of the studies.
        words: the answers, a list for each row.
    """
    from matplotlib.patches import Rectangle

    width, tall = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(tall, 0))
    axes.axis("off")
    each = (width - LABELS - 0.08) / len(columns)
    letters = int(each / 0.075)
    for j, name in enumerate(columns):
        middle = LABELS + (j + 0.5) * each
        shown = "\n".join(textwrap.wrap(name, letters, max_lines=3, placeholder=" …"))
        axes.text(middle, HEAD - 0.08, shown, ha="center", va="bottom", color=INK)
    axes.text(0.1, HEAD - 0.08, "Does it hold?", va="bottom", color=MUTED)
    for i, (row, answers) in enumerate(zip(rows, words, strict=True)):
        top = HEAD + i * ROW
        label = textwrap.fill(row, 46)
        axes.text(0.1, top + ROW / 2, label, va="center", color=INK, linespacing=1.05)
        for j, word in enumerate(answers):
            ground, ink = COLOURS[word]
            place = LABELS + j * each + 0.02, top + 0.02
            size = each - 0.04, ROW - 0.04
            axes.add_patch(Rectangle(place, *size, facecolor=ground, edgecolor=GRID, lw=0.8))
            middle = place[0] + size[0] / 2, place[1] + size[1] / 2
            axes.text(*middle, word, ha="center", va="center", color=ink, linespacing=0.95)
