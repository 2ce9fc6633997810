"""The panel of clients: its sentence, its table, and when there is none."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from headstart.report.figures.rendering import render
from headstart.report.judgement.asked import asked
from headstart.report.judgement.findings import judged
from headstart.report.panels.base import Missing, Panel
from headstart.report.panels.further.clients import OWN_MIX, build
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

PAIR = "sgd + adam"


@pytest.fixture
def grid(table: Callable[..., Grid]) -> Grid:
    """From proxy one of ten clients loses a tenth in each seed, the others gain .2, .21 and .22."""
    found = table({"random": {PAIR: [0.5, 0.51, 0.52]}, "proxy": {PAIR: [0.7, 0.7, 0.71]}})
    clients = {}
    for run in found.records.runs:
        gain = 0.2 + run.seed / 100 if run.start == "proxy" else 0.0
        loss = -0.1 if run.start == "proxy" else 0.0
        clients[run.run] = {i: 0.5 + i / 100 + (loss if i == 0 else gain) for i in range(10)}
    return sort(replace(found.records, clients=clients))


def test_the_sentence_names_who_loses(grid: Grid) -> None:
    panel = build(grid)
    assert isinstance(panel, Panel)
    assert panel.heading == "Does proxy help most clients?"
    assert panel.answer.sentence == (
        "the median client changes by +21.0 points [+18.5, +23.5] from proxy (FedAdam) against "
        "random (FedAdam); 10.0% [10.0, 10.0] of clients are worse off and 90.0% [90.0, 90.0] "
        "better off, with intervals over seeds; the worst tenth of clients changes by \u221210.0 "
        "points (3 equal seeds), the worst client by \u221210.0 points (3 equal seeds)."
    )
    assert panel.answer.says == "yes"
    assert OWN_MIX in panel.caption


def test_a_pair_that_was_picked_from_several_is_corrected_for_them(
    table: Callable[..., Grid],
) -> None:
    """Twelve equal pairs: the luck of the best was a gain of most clients in 12 % of studies."""
    found = table(
        {"random": {PAIR: [0.5], "sgd + sgd": [0.4]}, "proxy": {PAIR: [0.7], "sgd + sgd": [0.6]}}
    )
    clients = {run.run: {0: run.test_accuracy or 0.0} for run in found.records.runs}
    panel = build(sort(replace(found.records, clients=clients)))
    assert isinstance(panel, Panel)
    assert panel.answer.picked_from == 2


def test_the_table_has_a_row_a_start(grid: Grid) -> None:
    panel = build(grid)
    assert isinstance(panel, Panel)
    (table,) = panel.tables
    assert table.columns["start"] == ["random", "proxy"]
    assert table.columns["worst client"] == pytest.approx([0.5, 0.4])
    assert table.columns["mean of clients"] == pytest.approx([0.545, 0.545 - 0.01 + 0.9 * 0.21])
    assert table.columns["worse off"] == [None, pytest.approx(0.1)]
    assert table.columns["clients"] == [10, 10]


def test_it_is_drawn_in_both_layouts_from_the_same_data(grid: Grid) -> None:
    panel = build(grid)
    assert isinstance(panel, Panel)
    for wide in (True, False):
        text = render(panel.draw, panel.heights[not wide], wide)["svg"].decode()
        assert "points of accuracy gained over random" in text


def test_it_stands_beside_the_nine_and_is_no_finding(grid: Grid) -> None:
    panels = asked(grid)
    assert [panel.slug for panel in panels[9:]] == ["clients"]
    assert len(judged(panels)) == 9


def test_without_the_probe_there_is_none(table: Callable[..., Grid]) -> None:
    found = table({"random": {PAIR: [0.5]}, "proxy": {PAIR: [0.7]}})
    assert isinstance(build(found), Missing)
    assert isinstance(build(table({"random": {PAIR: [0.5]}})), Missing)
    assert len(asked(found)) == 9
