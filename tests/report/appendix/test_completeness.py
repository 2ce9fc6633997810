"""What a study lacks is said, and what was left out on purpose is not."""

from collections.abc import Callable

from headstart.report.appendix.completeness import missing
from headstart.report.runs.grid import Grid

A, B = "sgd + adam", "sgd + sgd"


def test_runs_that_a_study_until_decided_leaves_out_are_not_missing(
    table: Callable[..., Grid],
) -> None:
    accuracies = {
        "random": {A: [0.80, 0.81, 0.79], B: [0.50, 0.51]},
        "proxy": {A: [0.90, 0.91, 0.90], B: [0.60, 0.61]},
    }
    until = {"until": "decided", "first": 2, "at_most": 2}
    assert missing(table(accuracies, seeds=until)) == ""
    assert "2 runs of other seeds are missing" in missing(table(accuracies))
    unfinished = {**accuracies, "proxy": {A: [0.90], B: [0.60]}}
    assert "5 runs of other seeds are missing" in missing(table(unfinished, seeds=until))
