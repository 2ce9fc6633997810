"""What an open question needs to be decided."""

from dataclasses import replace

import numpy as np
import pytest

from headstart.report.panels.base import Answer, corrected, judge
from headstart.statistics.intervals import Estimate, p_within, t_interval
from headstart.statistics.power import seeds_within


def answer(values: list[float], against: float = 0.0) -> Answer:
    found = t_interval(values)
    return Answer(judge(found, -against), "measured.", "", found, against)


def together(*answers: Answer) -> list[Answer]:
    return list(corrected(dict(zip("abcdefgh", answers, strict=False))).values())


def test_an_answer_stands_among_all_that_are_asked() -> None:
    """p is .0017 and .035: doubled, the first stands; the second stands as it is,
    as the last of the two.
    """
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
    assert (
        found.sentence
        == "measured. Alone the answer would be yes; among 2 it is not decided (p = 0.070)."
    )
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
    """1,000 null studies of 3 seeds: one by one 34 % would answer something.
    Three standard errors are for chance.
    """
    draws = np.random.Generator(np.random.Philox(key=8)).normal(size=(1000, 8, 3))
    by_itself = among_all = 0
    for study in draws.tolist():
        answers = [answer(values) for values in study]
        by_itself += any(each.says != "undecided" for each in answers)
        among_all += any(each.says != "undecided" for each in together(*answers))
    assert by_itself / 1000 > 0.25
    assert among_all / 1000 < 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def small(values: list[float], margin: float = 1.0) -> Answer:
    return replace(answer(values), margin=margin, within="1 point")


def test_what_lies_within_its_margin_is_no_difference_that_matters() -> None:
    (found,) = together(small([0.1, -0.1, 0.05, 0.0]))
    assert (found.says, found.p) == (
        "no difference",
        p_within(t_interval([0.1, -0.1, 0.05, 0.0]), 1.0),
    )
    assert (
        found.sentence
        == "measured. No difference that matters: it lies within 1 point (p < 0.001)."
    )
    assert found.to_decide == ""


def test_a_difference_that_is_told_from_zero_and_smaller_than_its_margin_does_not_matter() -> None:
    assert answer([0.1, 0.11, 0.12, 0.1]).says == "yes"
    assert together(small([0.1, 0.11, 0.12, 0.1]))[0].says == "no difference"
    assert together(small([1.1, 1.11, 1.12, 1.1]))[0].says == "yes"
    assert together(small([0.9, 1.0, 1.1]))[0].says == "yes"


def test_what_may_matter_or_not_is_undecided_and_says_what_would_decide_it() -> None:
    values = [-1.0, 1.5, 0.1]
    (found,) = together(small(values))
    assert (found.says, found.asked) == ("undecided", 1)
    needed = seeds_within(t_interval(values), 1.0, 1)
    assert needed is not None
    assert found.more_seeds == needed - 3
    assert found.to_decide.startswith(f"About {needed - 3} more seeds would decide this")


@pytest.mark.parametrize(
    "truths", [[0.0] * 8, [1.0] * 8, [0.0] * 4 + [1.0] * 4, [0.0, 1.0] + [9.0] * 6]
)
def test_wrong_claims_of_either_kind_are_made_in_one_study_of_twenty(truths: list[float]) -> None:
    """A difference where there is none, or none that matters where it is as large as the margin:
    1,000 studies.
    """
    draws = np.random.Generator(np.random.Philox(key=9)).normal(truths, 0.3, size=(1000, 5, 8))
    wrong = 0
    for study in draws.transpose(0, 2, 1).tolist():
        says = [each.says for each in together(*map(small, study))]
        pairs = zip(truths, says, strict=True)
        wrong += any(
            said == "no difference" if truth else said in ("yes", "no") for truth, said in pairs
        )
    assert wrong / 1000 < 0.05 + 3 * (0.05 * 0.95 / 1000) ** 0.5


def test_an_open_question_says_how_many_more_seeds() -> None:
    spread = t_interval([0.0, 2.0])  # mean 1, s 1.41: 18 seeds in all
    assert Answer("undecided", "", "", spread).to_decide.startswith(
        "About 16 more seeds would decide this"
    )
    assert Answer("yes", "", "", spread).to_decide == ""
    assert Answer("undecided", "").to_decide == ""
    assert (
        "One seed decides nothing"
        in Answer("undecided", "", "", Estimate(1.0, None, None, 1)).to_decide
    )
    assert (
        "Seeds that agree exactly show no spread"
        in Answer("undecided", "", "", t_interval([5, 5])).to_decide
    )
    assert Answer("undecided", "", "", t_interval([0, 0, 0])).to_decide == ""
    tiny = t_interval([-1.0, 1.001])
    assert Answer("undecided", "", "", tiny).to_decide.startswith(
        "More than 1,000 seeds would be needed"
    )


def test_the_best_of_several_that_do_not_differ_is_not_told_from_the_first() -> None:
    """Of 8 starts that are alike the best was faster than the first in 7 to 10 % of studies."""
    draws = np.random.default_rng(8).standard_normal((400, 8, 10))
    said, as_if_fixed = 0, 0
    for values in draws:
        best = 1 + int(values[1:].mean(axis=1).argmax())
        found = answer(list(values[best] - values[0]))
        (as_it_was,) = together(found)
        (standing,) = together(replace(found, picked_from=7))
        as_if_fixed += as_it_was.says in ("yes", "no")
        said += standing.says in ("yes", "no")
    assert as_if_fixed > 0.08 * len(draws)
    assert said <= 0.05 * len(draws)


def test_seeds_that_would_decide_are_those_for_all_that_it_was_picked_from() -> None:
    open_ = answer([0.0, 0.02, -0.01, 0.03])
    fixed, picked = together(open_)[0], together(replace(open_, picked_from=7))[0]
    assert fixed.more_seeds is not None
    assert picked.more_seeds is not None
    assert picked.more_seeds > fixed.more_seeds
