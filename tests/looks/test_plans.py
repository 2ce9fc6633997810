"""When a study is looked at, and how a folder goes on by another plan."""

import pytest
from tests.looks.conftest import PLAN

from headstart.errors import HeadstartError
from headstart.looks.plans import Plan, as_mapping, from_mapping, going_on, plan_of
from headstart.statistics.joint.sequential import LEVEL, ONE_LOOK, Looks, grown, one_look


def test_a_study_file_plans_its_looks() -> None:
    assert plan_of({"seeds": [4, 2]}) == Plan((4, 2), one_look(2), 0.005)
    assert plan_of({"seeds": [4]}) == Plan((4,), Looks((), ()), 0.005)
    until = {"until": "decided", "first": 3, "at_most": 5}
    assert plan_of({"seeds": until, "margin": 0.5}) == PLAN


def test_a_plan_that_begins_with_the_looks_that_were_taken_is_followed() -> None:
    assert going_on(PLAN, PLAN, 2) == PLAN


def test_a_plan_of_which_no_look_was_taken_is_forgotten() -> None:
    listed = plan_of({"seeds": [0, 1]})
    assert going_on(listed, PLAN, 0) == listed


def test_further_looks_share_what_is_left() -> None:
    found = going_on(plan_of({"seeds": [7, 0, 1, 2]}), plan_of({"seeds": [0, 1, 2]}), 1)
    assert found.seeds == (0, 1, 2, 7)
    assert found.looks == grown(one_look(3), (4,))
    assert found.looks.spent == pytest.approx((ONE_LOOK, LEVEL))


def test_more_seeds_at_most_leave_the_looks_that_were_taken() -> None:
    longer = plan_of({"seeds": {"until": "decided", "first": 3, "at_most": 9}})
    found = going_on(longer, PLAN, 2)
    assert found.looks.seeds == (3, 4, 5, 6, 7, 8, 9)
    assert found.looks.spent[:2] == PLAN.looks.spent[:2]
    assert found.looks.spent[-1] == pytest.approx(LEVEL)


def test_a_list_of_the_seeds_that_were_looked_at_needs_no_further_look() -> None:
    found = going_on(plan_of({"seeds": [0, 1, 2, 3]}), PLAN, 2)
    assert found.looks == Looks(PLAN.looks.seeds[:2], PLAN.looks.spent[:2])


def test_seeds_that_were_looked_at_stay() -> None:
    with pytest.raises(
        HeadstartError, match="seeds: seed 2 was looked at and is not among them any more"
    ):
        going_on(plan_of({"seeds": [0, 1, 3, 4]}), PLAN, 1)


def test_a_plan_is_read_as_it_was_written() -> None:
    assert from_mapping(as_mapping(PLAN)) == PLAN
