"""When a panel is not to be judged."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headstart.report.judgement.reading import Reading, read
from headstart.report.panels.base import Panel
from headstart.report.runs.sorting import sort


def test_nothing_is_judged_from_a_start_that_learned_nothing(study: Callable[..., Path]) -> None:
    """Findings 5 and 8 are about its first weights, and stay."""
    results = read(study("clear")).grid.records
    runs = tuple(
        replace(run, test_accuracy=0.11) if run.start == "random" else run for run in results.runs
    )
    found = {
        each.finding.number: each
        for each in Reading(Path(), sort(replace(results, runs=runs))).findings
    }
    for number, each in found.items():
        assert isinstance(each.panel, Panel)
        if number in (5, 8):
            assert each.judgement != "undecided"
            continue
        assert (each.judgement, each.p, each.panel.answer.to_decide) == ("undecided", None, "")
        assert (
            "Not judged, as the start is untrained: from random training has hardly"
            in each.panel.answer.sentence
        )
        assert "10.0% before the first round, 11.0% at the end" in each.panel.answer.sentence
