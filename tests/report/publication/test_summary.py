"""What `findings.json` holds: numbers that a reader can compute with, rounded, and never none of
their unit.
"""

import math

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.findings import Judged
from headstart.report.panels.base import Missing
from headstart.report.publication.summary import bounds_of, finding_of, number_of
from headstart.statistics.intervals import Estimate
from headstart.statistics.joint.decisions import Bounds


def test_an_estimate_has_its_interval_and_unit() -> None:
    found = number_of(Estimate(0.123456789, -1.0, None, 3, 0.5), "points")
    assert found is not None
    assert (found["low"], found["high"], found["n"], found["unit"]) == (-1.0, None, 3, "points")
    assert math.isclose(found["value"], 0.123456789, rel_tol=1e-3)
    assert number_of(None, "points") is None


def test_a_difference_that_is_not_bounded_has_no_end() -> None:
    found = bounds_of(Bounds(0.1, -math.inf, 0.2))
    assert found == {"unit": "accuracy", "value": 0.1, "low": None, "high": 0.2}
    assert bounds_of(None) is None


def test_a_finding_that_was_not_asked_says_what_it_needs() -> None:
    finding = next(iter(FINDINGS.values()))
    missing = Missing(finding.slug, "Is it so?", "two starts")
    found = finding_of(Judged(finding, missing))
    assert found["needs"] == "two starts"
    assert found["number"] == finding.number
    assert found["judgement"] == "not asked"
    assert "sentence" not in found
