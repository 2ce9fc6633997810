"""The spread of pairs on uneven and on even devices, by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from headstart.report.measures.spread import beside, spread
from headstart.report.runs.cells import replaced
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

A, B, C = "sgd + adam", "sgd + sgd", "gd + adam"


def test_pairs_that_lie_closer_from_one_start(table: Callable[..., Grid]) -> None:
    """Three values a step apart have the step as their standard deviation,
    whatever seeds do to all.
    """
    proxy = {A: [0.9] * 2, B: [0.8] * 2, C: [0.7] * 2}
    even = table({"random": {A: [0.8, 0.8], B: [0.7, 0.7], C: [0.6, 0.6]}, "proxy": proxy})
    far = table({"random": {A: [0.8, 0.9], B: [0.5, 0.6], C: [0.2, 0.3]}, "proxy": proxy})
    runs = [replace(run, run=f"u/{run.run}", devices="uneven") for run in far.records.runs]
    grid = sort(replace(even.records, runs=(*even.records.runs, *runs)))
    uneven, between = replaced(grid.base, "devices", "uneven"), ("random", "proxy")
    found = spread(grid, between, grid.pairs(), uneven)
    assert found is not None
    assert (found.apart.first, found.apart.second) == pytest.approx((0.3, 0.1))
    assert found.apart.difference.value == pytest.approx(0.2)
    on_even = beside(grid, between, found.block.pairs, uneven, grid.base)
    assert on_even is not None
    assert on_even.apart.difference.value == pytest.approx(0.0)
    assert on_even.more.value == pytest.approx(0.2)


def test_two_pairs_have_no_spread(table: Callable[..., Grid]) -> None:
    grid = table(
        {"random": {A: [0.8, 0.8], B: [0.7, 0.7]}, "proxy": {A: [0.9, 0.9], B: [0.7, 0.7]}}
    )
    assert spread(grid, ("random", "proxy"), grid.pairs(), grid.base) is None
