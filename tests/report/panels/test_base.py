"""What an open question needs to be decided."""

import numpy as np
import pytest

from headstart.report.panels.base import Answer, corrected, judge
from headstart.statistics.intervals import Estimate, t_interval


def answer(values: list[float], against: float = 0.0) -> Answer:
    found = t_interval(values)
    return Answer(judge(found, -against), "measured.", "", found, against)


def together(*answers: Answer) -> list[Answer]:
    return list(corrected(dict(zip("abcdefgh", answers, strict=False))).values())


def test_an_answer_stands_among_all_that_are_asked() -> None:
    """p is .0017 and .035: doubled, the first stands; the second stands as it is, as the last of the two."""
    clear, close = answer([1.0, 1.1, 1.15]), answer([1.0, 1.5, 2.0])
    assert (clear.says, close.says) == ("yes", "yes")
    assert [found.says for found in together(clear, close)] == ["yes", "yes"]
    assert [found.p for found in together(clear, close)] == [
        pytest.approx(2 * clear.judged.p), pytest.approx(close.judged.p)  # type: ignore[union-attr,operator]
    ]  # fmt: skip


def test_an_answer_that_stands_only_alone_is_undecided_and_says_so() -> None:
    close, open_ = answer([1.0, 1.5, 2.0]), answer([-1.0, 1.0, 0.1])
    found, other = together(close, open_)
    assert (close.says, found.says, other.says) == ("yes", "undecided", "undecided")
    assert found.p == pytest.approx(2 * close.judged.p)  # type: ignore[union-attr, operator]
    assert found.sentence == "measured. Alone the answer would be yes; among 2 it is not decided (p = 0.070)."
    assert found.to_decide.startswith("About 1 more seed would decide this")


def test_what_is_held_against_a_margin_is_corrected_against_it() -> None:
    """Not more than a point lower: 0.2 points in a spread of 0.3 is far from -1, and near 0."""
    near = answer([0.5, 0.2, -0.1], against=-1.0)
    (found,) = together(near)
    assert found.says == "yes"
    assert found.p == pytest.approx(t_interval([1.5, 1.2, 0.9]).p)


def test_what_is_not_tested_is_neither_corrected_nor_counted() -> None:
    untested = Answer(None, "only one start")
    close = answer([1.0, 1.5, 2.0])
    first, second = together(untested, close)
    assert first is untested
    assert (second.says, second.asked) == ("yes", 1)


def test_of_eight_questions_without_a_difference_hardly_any_study_answers_one() -> None:
    """1,000 null studies of 3 seeds: one by one 34 % would answer something. Three standard errors are for chance."""
    draws = np.random.Generator(np.random.Philox(key=8)).normal(size=(1000, 8, 3))
    by_itself = among_all = 0
    for study in draws.tolist():
        answers = [answer(values) for values in study]
        by_itself += any(each.says != "undecided" for each in answers)
        among_all += any(each.says != "undecided" for each in together(*answers))
    assert by_itself / 1000 > 0.25
    assert among_all / 1000 < 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


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
