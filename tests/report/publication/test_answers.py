"""The answers at a glance: a word each, and what compares with a floor or repeats a measurement is
none.
"""

from pathlib import Path
from typing import Any

import pytest

from headstart.paper.findings import NO_DIFFERENCE
from headstart.report.publication.answers import CREATOR, Glance, cells, picture, table
from headstart.report.publication.findings_page import AT_A_GLANCE, glance, named, read

DOCS = Path(__file__).parents[3] / "docs"


def study(
    number: int, judgement: str, unlearned: list[str] | None = None, **answer: Any
) -> dict[str, Any]:
    """A published study that answers one finding, and was not asked the others."""
    findings: list[dict[str, Any]] = [
        {"number": n, "judgement": "not asked", "needs": "runs"} for n in range(1, 10)
    ]
    findings[number - 1] = {
        "number": number,
        "judgement": judgement,
        "difference": "+1.0",
        "to_decide": "",
        **answer,
    }
    return {
        "task": "digits", "model": "mlp", "findings": findings, "unlearned": unlearned or [],
        "starts": ["random", "proxy"], "compared": ["random", "proxy"],
        "run": {"run_seconds": 7200.0, "seeds": [0, 1, 2, 3]},
    }  # fmt: skip


def cell(number: int, *studies: dict[str, Any]) -> Glance:
    """What the last study answers."""
    names = ["first", "second"][: len(studies)]
    return cells(studies, names)[number - 1][-1]


@pytest.mark.parametrize(
    ("judgement", "word"), [("holds", "yes"), ("does not hold", "no"), ("does not show", "no")]
)
def test_a_judgement_is_a_word(judgement: str, word: str) -> None:
    assert cell(7, study(7, judgement)) == Glance(word, "+1.0")
    assert cell(7, study(7, judgement)).decided


def test_no_difference_says_within_what() -> None:
    assert cell(7, study(7, NO_DIFFERENCE, within="3 rounds")) == Glance(
        NO_DIFFERENCE, "+1.0", "within 3 rounds"
    )


def test_what_is_open_says_the_seeds_and_hours_that_it_would_take() -> None:
    """Half an hour a seed."""
    assert cell(7, study(7, "undecided", more_seeds=5)) == Glance(
        "undecided", "+1.0", "5 more seeds, 2.5 h"
    )
    assert cell(7, study(7, "undecided", more_seeds=100)).note == "100 more seeds, 50 h"
    open_: dict[str, Any] = {
        "to_decide": "A sentence.",
        "judged": {"low": -1.0, "high": 3.0, "n": 4},
    }
    assert cell(7, study(7, "undecided", **open_)).note == "over 1,000 seeds"
    one: dict[str, Any] = {
        "to_decide": "A sentence.",
        "judged": {"low": None, "high": None, "n": 1},
    }
    assert cell(7, study(7, "undecided", **one)).note == ""
    assert cell(7, study(7, "undecided")).note == ""


def test_a_comparison_with_a_floor_is_no_answer() -> None:
    found = cell(7, study(7, "holds", ["random"]))
    assert (found.word, found.note, found.decided) == (
        "undecided",
        "the first start learned nothing",
        False,
    )
    # Is of the first weights, not of training.
    assert cell(5, study(5, "holds", ["random"])).decided
    assert cell(7, study(7, "holds", ["proxy"])).decided


def test_of_one_measurement_in_two_studies_the_first_is_the_answer() -> None:
    one = study(8, "holds", judged={"n": 3, "value": 0.5})
    assert cell(8, one).decided
    again = cell(8, one, study(8, "holds", judged={"n": 3, "value": 0.5}))
    assert (again.word, again.note) == ("undecided", "the measurement of first again")
    assert cell(8, one, study(8, "holds", judged={"n": 3, "value": 0.4})).decided


def test_the_table_counts_what_is_decided() -> None:
    studies = [study(7, "holds"), study(7, "undecided")]
    lines = table(["[a](a)", "[b](b)"], cells(studies, ["a", "b"]))
    assert lines[0] == "| finding | [a](a) | [b](b) | a difference matters from |"
    assert lines[8] == (
        "| 7. pre-training needs fewer rounds | **yes**<br>+1.0 | undecided<br>+1.0 | 5 % of "
        "the rounds |"
    )
    assert lines[-1].startswith("1 of 18 cells are decided.")


def test_the_picture_says_who_drew_it() -> None:
    shown = picture(["a"], cells([study(7, NO_DIFFERENCE)], ["a"]))
    assert shown.startswith(b"\x89PNG")
    assert CREATOR.encode() in shown[:4096]


def test_the_answers_in_docs_are_what_the_command_writes() -> None:
    page = (DOCS / "findings.md").read_text(encoding="utf-8")
    _, begin, rest = page.partition(AT_A_GLANCE[0])
    written, end, _ = rest.partition(AT_A_GLANCE[1])
    assert begin
    assert end
    expected = glance(read([DOCS / "results"]), DOCS, "findings.png")
    assert written == f"\n{expected}", "run: make results"


@pytest.mark.slow
def test_the_picture_in_docs_is_what_the_command_draws() -> None:
    published = read([DOCS / "results"])
    names, _ = named(published, DOCS)
    assert (DOCS / "findings.png").read_bytes() == picture(
        names, cells(list(published.values()), names)
    )
