"""What an open question needs to be decided."""

from headstart.report.panels.base import Answer
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
