"""The spread of pairs on uneven and on even devices, by hand."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from headstart.report.measures.spread import beside, spread
from headstart.report.runs.cells import replaced
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

A, B = "sgd + adam", "sgd + sgd"


def test_pairs_that_lie_closer_from_one_start(table: Callable[..., Grid]) -> None:
    """The standard deviation of two values is their distance over the root of two."""
    even = table({"random": {A: [0.8, 0.8], B: [0.7, 0.7]}, "proxy": {A: [0.9] * 2, B: [0.8] * 2}})
    far = table({"random": {A: [0.8, 0.8], B: [0.4, 0.5]}, "proxy": {A: [0.9] * 2, B: [0.8] * 2}})
    runs = [replace(run, run=f"u/{run.run}", devices="uneven") for run in far.records.runs]
    grid = sort(replace(even.records, runs=(*even.records.runs, *runs)))
    uneven, between = replaced(grid.base, "devices", "uneven"), ("random", "proxy")
    found = spread(grid, between, grid.pairs(), uneven)
    assert found is not None
    assert found.by_start[0] == pytest.approx({0: 0.4 / math.sqrt(2), 1: 0.3 / math.sqrt(2)})
    assert found.closer.value == pytest.approx((0.35 - 0.1) / math.sqrt(2))
    on_even = beside(grid, between, found.block.pairs, uneven, grid.base)
    assert on_even is not None
    assert on_even.difference is not None
    assert on_even.difference.value == pytest.approx(0.0)
    assert on_even.more.value == pytest.approx(found.closer.value)


def test_one_pair_has_no_spread(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.8, 0.8]}, "proxy": {A: [0.9, 0.9]}})
    assert spread(grid, ("random", "proxy"), grid.pairs(), grid.base) is None
