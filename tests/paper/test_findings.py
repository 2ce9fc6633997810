"""The nine findings: each told once, under one name everywhere."""

import pytest

from headstart.paper.findings import FINDINGS, Says
from headstart.report.panels import PANELS


def test_every_finding_has_a_panel_of_its_name_and_a_number_of_its_own() -> None:
    modules = {build.__module__.rpartition(".")[2].replace("_", "-") for build in PANELS}
    assert modules == FINDINGS.keys()
    assert [finding.slug for finding in FINDINGS.values()] == list(FINDINGS)
    assert [finding.number for finding in FINDINGS.values()] == list(range(1, 10))


@pytest.mark.parametrize(
    ("says", "text"),
    [
        ("yes", "holds here"),
        ("no", "does not hold here"),
        ("undecided", "is undecided here"),
        (None, "cannot be judged with one start"),
    ],
)
def test_a_finding_is_judged_by_the_answer(says: Says | None, text: str) -> None:
    assert FINDINGS["ranking"].held(says) == text


def test_an_initial_loss_that_is_lower_refutes_no_not_always() -> None:
    assert FINDINGS["initial-loss"].held("no") == "holds here"
    assert FINDINGS["initial-loss"].held("yes") == "does not show here"


def test_findings_about_the_first_weights_need_no_training() -> None:
    without = [slug for slug, finding in FINDINGS.items() if not finding.needs_training]
    assert without == ["curvature", "initial-loss"]
