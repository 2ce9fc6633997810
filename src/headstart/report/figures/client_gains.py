"""How many clients gain how much over a reference: one curve a start, on one scale."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.report.figures.axes import frame, legend, percent_axis, room_for_legend
from headstart.report.figures.rendering import MUTED, label, style

Gains = Mapping[int, NDArray[np.float64]]
"""By seed: what each client gains [K], sorted."""

POINTS = np.linspace(0, 1, 201)
"""Shares of clients at which a curve is drawn, however many clients there are."""


def gains_of_clients(
    figure: Any, wide: bool, starts: Sequence[str], reference: str, gains: Mapping[str, Gains]
) -> None:
    """Draw the distribution of what clients gain.

    Args:
        figure: where to draw.
        wide: the layout.
        starts: all of the study, which give curves their looks.
        reference: the start that the others are held against.
        gains: of each other start.
    """
    axes = figure.add_subplot()
    frame(figure, 0.62, 0.2, room_for_legend(wide, starts), 0.5)
    zero = axes.axvline(0, color=MUTED, lw=1.0, ls=(0, (3, 2)))
    handles = [(zero, label(starts, reference))]
    for start in [start for start in starts if start in gains]:
        colour, dash, _ = style(starts, start)
        for gain_K in gains[start].values():
            axes.plot(_quantiles(gain_K), POINTS, color=colour, lw=0.6, alpha=0.5)
        together = np.sort(np.concatenate(list(gains[start].values())))
        (line,) = axes.plot(_quantiles(together), POINTS, color=colour, ls=dash, lw=2.0)
        handles.append((line, label(starts, start)))
    legend(figure, [], 0.62 if wide else 0.1, handles)
    axes.set_ylim(0, 1)
    axes.margins(x=0.03)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(f"points of accuracy gained over {reference}")
    axes.set_ylabel("share of clients")
    axes.xaxis.set_major_formatter(_points)
    percent_axis(axes.yaxis)


def _points(value: float, _: int | None) -> str:
    return f"{100 * value:+.3g}" if abs(value) > 1e-9 else "0"


def _quantiles(gain_K: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.quantile(gain_K, POINTS)
    return found
