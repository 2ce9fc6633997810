"""What the page says beside a panel: whether the paper's finding holds, its own figure, and what would decide."""

import pytest

from headstart.report.answers import Answer
from headstart.report.findings import FINDINGS, Finding
from headstart.report.panels import PANELS
from headstart.study.statistics import Estimate, t_interval


def test_every_panel_has_its_finding_and_no_finding_is_told_twice() -> None:
    slugs = {build.__module__.rpartition(".")[2] for build in PANELS}
    assert slugs <= FINDINGS.keys()
    assert sorted(finding.number for finding in FINDINGS.values()) == list(range(1, 10))


@pytest.mark.parametrize(
    ("says", "text"),
    [
        ("yes", "holds here"),
        ("no", "does not hold here"),
        ("undecided", "is undecided here"),
        (None, "cannot be judged with one start"),
    ],
)
def test_a_finding_is_judged_by_the_answer(says: object, text: str) -> None:
    assert Finding(1, "a claim").held(says) == text  # type: ignore[arg-type]


def test_an_initial_loss_that_is_lower_refutes_no_not_always() -> None:
    assert FINDINGS["initial_loss"].held("no") == "holds here"
    assert FINDINGS["initial_loss"].held("yes") == "does not show here"


def test_an_open_question_says_how_many_more_seeds() -> None:
    spread = t_interval([0.0, 2.0])  # mean 1, s 1.41: 18 seeds in all
    assert Answer("undecided", "", "", spread).to_decide.startswith("About 16 more seeds would decide this")
    assert Answer("yes", "", "", spread).to_decide == ""
    assert Answer("undecided", "").to_decide == ""
    assert "One seed decides nothing" in Answer("undecided", "", "", Estimate(1.0, None, None, 1)).to_decide
    tiny = t_interval([-1.0, 1.001])
    assert Answer("undecided", "", "", tiny).to_decide.startswith("More than 1,000 seeds would be needed")
