"""The keys of a study file: what is left out, what is refused, and what they look like."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.parts.validation import validate
from headstart.study.file.keys import StudyFile

LEAST = {"task": "digits", "model": "mlp"}


def test_a_task_and_a_model_are_enough() -> None:
    found = validate(StudyFile, LEAST)
    assert (found.evaluate_on, found.keep_weights, found.device) == ("test", "last", "cpu")
    assert found.tuning is None
    assert found.also == []


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"model": "mlp"}, "task: expected"),
        ({**LEAST, "round": 3}, "unknown key 'round'; did you mean 'rounds'?"),
        ({**LEAST, "rounds": 0}, "rounds: expected a whole number >= 1"),
        ({**LEAST, "rounds": True}, "rounds: expected a whole number >= 1"),
        ({**LEAST, "client_rates": [0.1, -1]}, "client_rates[1]: expected a number > 0"),
        ({**LEAST, "seeds": [0, "x"]}, "seeds[1]: expected a whole number"),
        ({**LEAST, "evaluate_on": "train"}, "evaluate_on: expected one of test, validation"),
        (
            {**LEAST, "tuning": {"trails": 3}},
            "tuning: unknown key 'trails'; did you mean",
        ),
    ],
)
def test_a_key_that_is_wrong_is_one_line(keys: dict[str, Any], line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        validate(StudyFile, keys)
    assert str(caught.value).startswith(line)
