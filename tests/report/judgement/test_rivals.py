"""The leader against the other starts: differences and their correction, by hand."""

from collections.abc import Callable

import pytest

from headstart.report.judgement.rivals import rivals, speed
from headstart.report.runs.grid import Grid
from headstart.statistics.intervals import holm, paired_difference

A, B = "sgd + adam", "sgd + sgd"


def test_tests_are_corrected_together(table: Callable[..., Grid]) -> None:
    grid = table(
        {
            "random": {A: [0.80, 0.81, 0.83], B: [0.5, 0.52, 0.51]},
            "proxy": {A: [0.90, 0.92, 0.91], B: [0.6, 0.61, 0.63]},
        }
    )
    leader, other = grid.standings["proxy"], grid.standings["random"]
    (rival,), quicker = rivals(leader, [other], speed(grid, leader, other))
    best = paired_difference(leader.cells[0].accuracy, other.cells[0].accuracy)
    assert rival.at_best == best
    assert rival.same_pair is not None
    assert rival.same_pair.value == pytest.approx((0.097 - 0.001 / 3 + 0.1 + 0.01 / 3) / 2, abs=2e-3)
    assert rival.at_best is not None
    assert [rival.p_best, rival.p_same] == holm([rival.at_best.p, rival.same_pair.p])
    assert (quicker.saved, quicker.words, quicker.p) == (None, "", None)


def test_speed_is_in_rounds_saved(table: Callable[..., Grid]) -> None:
    rounds = {"random": [40, 42, 44], "proxy": [20, 21, 22]}
    accuracies = {"random": {A: [0.8, 0.8, 0.8]}, "proxy": {A: [0.9, 0.9, 0.9]}}
    grid = table(accuracies, rounds_to_target=rounds)
    found = speed(grid, grid.standings["proxy"], grid.standings["random"])
    assert found.saved is not None
    assert found.saved.value == 21.0
    said = "with sgd + adam, 80% takes 21 rounds from proxy and 42 from random, 50% fewer bytes"
    assert found.words == said
