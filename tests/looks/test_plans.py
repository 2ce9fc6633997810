"""When a study is looked at."""

from tests.looks.conftest import PLAN

from headstart.looks.plans import Plan, plan_of
from headstart.statistics.sequential import one_look


def test_a_study_file_plans_its_looks() -> None:
    assert plan_of({"seeds": [4, 2]}) == Plan((4, 2), one_look(2), 0.005)
    until = {"until": "decided", "first": 3, "at_most": 5}
    assert plan_of({"seeds": until, "margin": 0.5}) == PLAN
