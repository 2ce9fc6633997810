"""Seeds until a study has decided, and how often it is looked at."""

from typing import Any

import pytest
import yaml
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.looks.plans import Plan
from headstart.statistics.joint.sequential import one_look, until_decided
from headstart.study.spec import Study


def test_a_study_may_run_until_it_has_decided() -> None:
    found = study(seeds={"until": "decided", "first": 2, "at_most": 4}, margin=0.25)
    assert [run.seed for run in found.runs] == [0, 1, 2, 3]
    assert found.plan == Plan((0, 1, 2, 3), until_decided(2, 4), 0.0025)
    assert [run.key for run in found.runs] == [run.key for run in study(seeds=range(4)).runs]
    again = yaml.safe_load(found.resolved())
    assert (again["seeds"], again["margin"]) == (
        {"until": "decided", "first": 2, "at_most": 4},
        0.25,
    )
    assert Study(**again).resolved() == found.resolved()


def test_three_to_twenty_seeds_are_run_where_nothing_is_said() -> None:
    assert study(seeds={"until": "decided"}).plan == Plan(
        tuple(range(20)), until_decided(3, 20), 0.005
    )


def test_a_list_of_seeds_is_one_look() -> None:
    assert study(seeds=[4, 2]).plan == Plan((4, 2), one_look(2), 0.005)


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"seeds": {"until": "today"}}, "seeds.until: expected decided, got 'today'"),
        ({"seeds": {"first": 3}}, "seeds.until: expected decided, got nothing"),
        (
            {"seeds": {"until": "decided", "frist": 3}},
            "seeds: unknown key 'frist'; did you mean 'first'?",
        ),
        (
            {"seeds": {"until": "decided", "first": 1}},
            "seeds.first: expected a whole number >= 2, got 1",
        ),
        (
            {"seeds": {"until": "decided", "first": 5, "at_most": 4}},
            "seeds.at_most: expected first (5) or more, got 4",
        ),
        (
            {"seeds": {"until": "decided", "at_most": 2}},
            "seeds.at_most: expected first (3) or more, got 2",
        ),
        (
            {"seeds": {"until": "decided", "at_most": 1000}},
            "seeds.at_most: expected a whole number >= 2 and <= 200, got 1000",
        ),
        ({"seeds": [0, -1]}, "seeds[1]: expected a whole number >= 0, got -1"),
        ({"margin": -1}, "margin: expected a number >= 0 and <= 100, got -1"),
        ({"margin": float("nan")}, "margin: expected a number >= 0 and <= 100, finite, got nan"),
        (
            {"margins": {"speedup": 0}},
            "margins.speedup: expected a number > 0 and <= 100 or nothing, got 0",
        ),
        ({"margins": {"speed": 5}}, "margins: unknown key 'speed'; did you mean 'speedup'?"),
        ({"margin": 101}, "margin: expected a number >= 0 and <= 100, got 101"),
    ],
)
def test_looks_without_sense_get_one_line(keys: dict[str, Any], error: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        study(**keys)
    assert str(caught.value) == error
