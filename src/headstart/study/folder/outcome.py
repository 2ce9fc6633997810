"""What came of a run, counted from its rounds: `test_accuracy`, `test_loss`, `rounds_to_target`."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from headstart import arrow
from headstart.tables import ROUNDS


def with_outcome(record: dict[str, Any], rounds: pa.Table, target: float | None) -> dict[str, Any]:
    """Return what is known of a run with what came of it.

    That is the last test metrics, none if it diverged, and the first measured round whose accuracy
    is the target or more, None where there is none such.
    """
    series: dict[str, list[tuple[int, float]]] = {"test_accuracy": [], "test_loss": []}
    of_tests = rounds.filter(
        pc.is_in(rounds["metric"], value_set=arrow.column(list(series), pa.string()))
    )
    for round_, metric, value in zip(
        *(of_tests[name].to_pylist() for name in ROUNDS.names[1:]), strict=True
    ):
        series[metric].append((round_, value))
    if record["status"] != "diverged":
        record |= {metric: measured[-1][1] for metric, measured in series.items() if measured}
    reached = [
        round_
        for round_, value in series["test_accuracy"]
        if target is not None and value >= target
    ]
    return {**record, "rounds_to_target": min(reached, default=None)}
