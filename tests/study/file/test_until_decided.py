"""What a study that runs until it has decided cannot have."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.study.spec import Study


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (
            {"seeds": {"until": "decided"}, "also": [{"seeds": [7]}]},
            "also[0].seeds: expected none, as the study runs until it has decided; remove them, or "
            "list the seeds of the study",
        ),
        (
            {"seeds": {"until": "decided", "at_most": 8}, "tuning": {"repeats": 3, "trials": 2}},
            "tuning.repeats: a look counts each seed as a result of its own; expected 1, or one "
            "for each of at most 8 seeds, got 3",
        ),
        (
            {"seeds": {"until": "decided"}, "client_rates": [0.1, 0.3]},
            "client_rates, server_rates: random, sgd, sgd has several, and a study that runs until "
            "it has decided needs one of each; let `tuning` choose",
        ),
    ],
)
def test_what_decides_nothing_is_refused(keys: dict[str, Any], error: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        Study(task="digits", model="mlp", population=10, cohort=3, **keys)
    assert str(caught.value) == error


def test_each_seed_may_be_tuned_by_itself() -> None:
    found = Study(
        task="digits",
        model="mlp",
        seeds={"until": "decided", "at_most": 4},
        tuning={"repeats": 4, "trials": 2},
        client_rates=0.3,
    )
    assert found.plan.repeats == 1
