"""What came of a run is counted from its rounds."""

from typing import Any

import pyarrow as pa
import pytest

from headstart.study.folder.outcome import with_outcome
from headstart.tables import ROUNDS

ACCURACY = [(0, 0.1), (5, 0.6), (10, 0.7), (15, 0.65)]


def outcome(status: str, target: float | None) -> dict[str, Any]:
    """The outcome of a run with these accuracies and one loss."""
    rows = [("a", at, "test_accuracy", value) for at, value in ACCURACY] + [
        ("a", 15, "test_loss", 0.5)
    ]
    table = pa.table([list(column) for column in zip(*rows, strict=True)], schema=ROUNDS)
    return with_outcome({"status": status}, table, target)


@pytest.mark.parametrize(("target", "reached"), [(0.6, 5), (0.61, 10), (0.71, None), (None, None)])
def test_the_target_is_reached_at_the_first_round_that_is_there(
    target: float | None, reached: int | None
) -> None:
    assert outcome("finished", target)["rounds_to_target"] == reached


def test_what_a_run_ended_with_is_its_last_measurement_and_a_diverged_run_has_none() -> None:
    found = outcome("finished", 0.6)
    assert (found["test_accuracy"], found["test_loss"]) == (0.65, 0.5)
    assert outcome("diverged", 0.6) == {"status": "diverged", "rounds_to_target": 5}
