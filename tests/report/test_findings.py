"""What the page says beside a panel: whether the paper's finding holds, its own figure, and what would decide."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from headstart.report.judgement.reading import Reading, read
from headstart.report.panels.base import Answer, Panel
from headstart.report.runs.sorting import sort
from headstart.statistics.intervals import Estimate, t_interval


def test_an_open_question_says_how_many_more_seeds() -> None:
    spread = t_interval([0.0, 2.0])  # mean 1, s 1.41: 18 seeds in all
    assert Answer("undecided", "", "", spread).to_decide.startswith("About 16 more seeds would decide this")
    assert Answer("yes", "", "", spread).to_decide == ""
    assert Answer("undecided", "").to_decide == ""
    assert "One seed decides nothing" in Answer("undecided", "", "", Estimate(1.0, None, None, 1)).to_decide
    assert "Seeds that agree exactly show no spread" in Answer("undecided", "", "", t_interval([5, 5])).to_decide
    assert Answer("undecided", "", "", t_interval([0, 0, 0])).to_decide == ""
    tiny = t_interval([-1.0, 1.001])
    assert Answer("undecided", "", "", tiny).to_decide.startswith("More than 1,000 seeds would be needed")


def test_findings_that_are_asked_at_once_are_corrected_for_it(study: Callable[..., Path]) -> None:
    """Holm by hand: the smallest p-value times how many are tested, the next one times one less, and so on."""
    found = read(study("clear")).findings
    raw = {}
    for each in found:
        assert isinstance(each.panel, Panel)
        answer = each.panel.answer
        assert answer.judged is not None
        assert answer.judged.low is not None
        error = (answer.judged.value - answer.judged.low) / stats.t.ppf(0.975, answer.judged.n - 1)
        far = abs(answer.judged.value + answer.margin) / error if error else math.inf
        raw[each.finding.number] = 2 * stats.t.sf(far, answer.judged.n - 1)
        # Alone, p is below 0.05 exactly where the interval decides.
        assert (raw[each.finding.number] < 0.05) == (each.judgement != "undecided")
    assert len(raw) == 9
    largest = 0.0
    for i, number in enumerate(sorted(raw, key=lambda number: raw[number])):
        largest = max(largest, min(1.0, (9 - i) * raw[number]))
        assert found[number - 1].p == pytest.approx(largest, rel=1e-6)


def test_what_was_not_asked_is_not_corrected_for(study: Callable[..., Path], few: Callable[..., bool]) -> None:
    found = read(study("clear", keep=few)).findings
    tested = [each for each in found if each.p is not None]
    assert 0 < len(tested) < 9
    for each in found:
        assert isinstance(each.panel, Panel) or each.p is None
    alone = min(tested, key=lambda each: each.p or 0.0)
    assert isinstance(alone.panel, Panel)
    assert alone.panel.answer.judged is not None
    assert alone.p == pytest.approx(len(tested) * alone.panel.answer.judged.p)  # type: ignore[operator]


def test_nothing_is_judged_from_a_start_that_learned_nothing(study: Callable[..., Path]) -> None:
    """Findings 5 and 8 are about its first weights, and stay."""
    results = read(study("clear")).grid.records
    runs = tuple(replace(run, test_accuracy=0.11) if run.start == "random" else run for run in results.runs)
    found = {each.finding.number: each for each in Reading(Path(), sort(replace(results, runs=runs))).findings}
    for number, each in found.items():
        assert isinstance(each.panel, Panel)
        if number in (5, 8):
            assert each.judgement != "undecided"
            continue
        assert (each.judgement, each.p, each.panel.answer.to_decide) == ("undecided", None, "")
        assert "Not judged, as the start is untrained: from random training has hardly" in each.panel.answer.sentence
        assert "10.0% before the first round, 11.0% at the end" in each.panel.answer.sentence


def test_a_start_from_which_nothing_is_learned_is_a_caution(study: Callable[..., Path]) -> None:
    """Its pairs begin at 10 % and end at 11.5 at best; one that ends at 12.1 has learned something."""
    results = read(study("clear")).grid.records

    def cautions(random: float) -> list[str]:
        runs = tuple(replace(r, test_accuracy=random) if r.start == "random" else r for r in results.runs)
        reading = Reading(Path(), sort(replace(results, runs=runs)))
        return [text for text in reading.cautions.sentences if "hardly" in text]

    assert cautions(0.121) == []
    (said,) = cautions(0.115)
    assert said.startswith("From random training has hardly changed the accuracy: 10.0% before the first round, 11.5%")
