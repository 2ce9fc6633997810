"""What the page says beside a panel: whether the paper's finding holds, its own figure,
and what would decide.
"""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import stats

from headstart.report.judgement.reading import read
from headstart.report.panels.base import Panel


def test_findings_that_are_asked_at_once_are_corrected_for_it(study: Callable[..., Path]) -> None:
    """By hand: the smallest p-value times how many findings have a hypothesis left, and so on."""
    found = read(study("clear")).findings
    raw: list[tuple[float, int, str]] = []
    for each in found:
        assert isinstance(each.panel, Panel)
        answer = each.panel.answer
        assert answer.judged is not None
        assert answer.judged.low is not None
        degrees = answer.judged.n - 1
        error = (answer.judged.value - answer.judged.low) / stats.t.ppf(0.975, degrees)
        far = abs(answer.judged.value - answer.against) / error if error else math.inf
        raw.append((2 * stats.t.sf(far, degrees), each.finding.number, "a difference"))
        if answer.margin is not None:
            near = (abs(answer.judged.value) - answer.margin) / error if error else math.inf
            raw.append((stats.t.cdf(near, degrees), each.finding.number, "none"))
    assert len(raw) == 9 + 7  # findings 1 and 9 are held against a margin as they are
    largest = 0.0
    for i, (p, number, what) in enumerate(sorted(raw)):
        left = {later for _, later, _ in sorted(raw)[i:]}
        largest = max(largest, min(1.0, len(left) * p))
        if what == "a difference":
            assert found[number - 1].p == pytest.approx(largest, rel=1e-6)


def test_what_was_not_asked_is_not_corrected_for(
    study: Callable[..., Path], few: Callable[..., bool]
) -> None:
    found = read(study("clear", keep=few)).findings
    tested = [each for each in found if each.p is not None]
    assert 0 < len(tested) < 9
    for each in found:
        assert isinstance(each.panel, Panel) or each.p is None
    alone = min(tested, key=lambda each: each.p or 0.0)
    assert isinstance(alone.panel, Panel)
    assert alone.panel.answer.judged is not None
    assert alone.p == pytest.approx(len(tested) * alone.panel.answer.judged.p)  # type: ignore[operator]
