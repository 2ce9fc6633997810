"""The panel of other metrics: the last value of each from each start, and nothing judged."""

from collections.abc import Callable
from typing import Any

import pytest

from headstart.report.figures.rendering import render
from headstart.report.panels.base import Missing, Panel
from headstart.report.panels.further.own_metrics import build
from headstart.report.runs.grid import Grid
from headstart.statistics.intervals import t_interval

PAIR = "sgd + adam"
LAST = {"random": [1.0, 2.0, 3.0], "proxy": [2.0, 4.0, 3.0]}


@pytest.fixture
def panel(table: Callable[..., Grid], with_curves: Any) -> Panel:
    grid = table({start: {PAIR: [0.5, 0.51, 0.52]} for start in LAST})
    grid = with_curves(grid, "norm", lambda run: [(0, 9.0), (9, LAST[run.start][run.seed])])
    found = build(grid)
    assert isinstance(found, Panel)
    return found


def test_the_last_values_have_intervals(panel: Panel) -> None:
    (table,) = panel.tables
    expected = [t_interval(values) for values in LAST.values()]
    assert table.columns["last value"] == [2.0, 3.0]
    assert table.columns["low"] == [each.low for each in expected]
    assert table.columns["less the first start"] == [
        "",
        "+1.000 [\u22121.484, 3.484]".replace("3.484", "+3.484"),
    ]
    assert (
        panel.answer.sentence
        == "at the end norm is 2 [\u22120.484, 4.48] from random and 3 [0.516, 5.48] from proxy."
    )


def test_nothing_is_judged(panel: Panel) -> None:
    assert (panel.answer.says, panel.answer.is_judged, panel.answer.judged) == (None, False, None)


def test_it_is_drawn(panel: Panel) -> None:
    for wide in (True, False):
        assert "norm" in render(panel.draw, panel.heights[not wide], wide)["svg"].decode()


def test_a_study_of_the_packages_probes_has_none(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = with_curves(table({"random": {PAIR: [0.5]}}), "test_loss", lambda run: [(0, 9.0)])
    assert isinstance(build(grid), Missing)
