"""The curve of what clients gain: the share that loses is where it meets zero,
whatever the layout.
"""

import numpy as np
import pytest

from headstart.report.figures.client_gains import gains_of_clients
from headstart.report.figures.rendering import drawn

GAINS = {"proxy": {0: np.linspace(-0.1, 0.4, 101), 1: np.linspace(-0.2, 0.6, 3400)}}


@pytest.mark.parametrize("wide", [True, False])
def test_curves_are_the_quantiles_of_the_gains(wide: bool) -> None:
    def draw(figure: object, wide: bool) -> None:
        gains_of_clients(figure, wide, ["random", "proxy"], "random", GAINS)

    with drawn(draw, 3.0, wide) as figure:
        (axes,) = figure.axes
        zero, first, second, together = (line.get_xydata() for line in axes.get_lines())
        assert set(np.asarray(zero)[:, 0]) == {0.0}
        for line, share_of_losers in ((first, 0.2), (second, 0.25)):
            x, y = np.asarray(line).T
            assert len(x) == 201  # however many clients
            assert np.interp(0, x, y) == pytest.approx(share_of_losers, abs=0.002)
        assert np.asarray(together)[:, 0].min() == -0.2
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["random", "proxy"]
