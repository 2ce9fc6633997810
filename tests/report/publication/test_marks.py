"""Marks at judgements."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.report.publication.marks import marks

Make = Callable[..., Path]
Keep = Callable[[dict[str, Any]], bool]


def published(task: str, unlearned: list[str], value: float = 0.1) -> dict[str, Any]:
    """Every finding holds, with a number of its own, also from a start that learned nothing."""
    findings = [
        {"number": n, "judgement": "holds", "judged": {"value": value + n, "n": 3}}
        for n in range(1, 10)
    ]
    return {
        "task": task,
        "model": "mlp",
        "compared": ["random", "proxy"],
        "unlearned": unlearned,
        "findings": findings,
    }


def test_judgements_from_a_start_that_learned_nothing_are_marked() -> None:
    floor = published("a", ["random"])
    other = published("b", ["proxy"])
    marked = [
        each["number"] for each in floor["findings"] if marks(floor, each, [floor, other]) == " †"
    ]
    assert marked == [1, 2, 3, 4, 6, 7, 9]
    assert not any(marks(other, each, [floor, other]) for each in other["findings"])
    undecided = {**floor["findings"][0], "judgement": "undecided"}
    assert marks(floor, undecided, [floor]) == ""


def test_one_measurement_in_two_studies_is_marked() -> None:
    one, same, more = published("a", []), published("a", []), published("a", [], value=0.2)
    elsewhere = published("b", [])
    assert all(marks(one, each, [one, same]) == " ‡" for each in one["findings"])
    assert not any(marks(one, each, [one, more, elsewhere]) for each in one["findings"])
