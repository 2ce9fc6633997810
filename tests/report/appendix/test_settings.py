"""How a study was run: each setting by its name, and what its runs add up to."""

import dataclasses
from collections.abc import Callable

from headstart.report.appendix.settings import settings
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort


def test_runs_are_counted_and_their_seconds_added_up(table: Callable[..., Grid]) -> None:
    grid = table({"random": {"sgd + adam": [0.9, None]}}, task="digits", starts=["random"])
    runs = tuple(
        dataclasses.replace(run, seconds=600.0, machine="a machine", ended=f"2026-11-2{i}T10:00")
        for i, run in enumerate(grid.records.runs)
    )
    failed = {"x": "it raised ValueError", "y": "it raised ValueError"}
    grid = sort(dataclasses.replace(grid.records, runs=runs, failed=failed))
    told = dict(settings(grid))
    assert told["task"] == "digits"
    assert told["seeds"] == "0, 1"
    assert told["runs"] == "2, of which 1 diverged"
    assert told["time of computing"].startswith("1,200 s, added up over all runs")
    assert told["run on"] == "a machine"
    assert told["with torch"] == "not recorded"
    assert told["runs ended"] == "2026-11-20 to 2026-11-21"
    assert told["runs that failed"] == "2, and are not in the numbers: it raised ValueError"


def test_what_the_loop_computed_instead_is_counted(table: Callable[..., Grid]) -> None:
    grid = table({"random": {"sgd + adam": [0.9, 0.8, 0.7]}})
    first, *rest = grid.records.runs
    runs = (dataclasses.replace(first, executor_fallback="it cannot be recorded"), *rest)
    told = dict(settings(sort(dataclasses.replace(grid.records, runs=runs))))
    assert told["computed by loop instead"] == "1 of 3 runs: it cannot be recorded"
