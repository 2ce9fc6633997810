"""What the page says beside a panel: whether the paper's finding holds, its own figure, and what would decide."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import stats

from headstart.report.judgement.reading import read
from headstart.report.panels.base import Panel


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
        far = abs(answer.judged.value - answer.against) / error if error else math.inf
        raw[each.finding.number] = 2 * stats.t.sf(far, answer.judged.n - 1)
    assert len(raw) == 9
    largest = 0.0
    for i, number in enumerate(sorted(raw, key=lambda number: raw[number])):
        largest = max(largest, min(1.0, (9 - i) * raw[number]))
        assert found[number - 1].p == pytest.approx(largest, rel=1e-6)
        assert (largest < 0.05) == (found[number - 1].judgement != "undecided")


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
