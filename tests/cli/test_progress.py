"""What a study says of itself while it runs."""

from typing import Any

import pytest

from headstart.cli import progress
from headstart.study.looking.stages import Looked
from headstart.study.places.pace import Advance


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch, clock: Any) -> Any:
    """Tells of events at the times of `clock`."""
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])  # type: ignore[attr-defined]
    return progress._plain_lines()


@pytest.fixture
def clock() -> Any:
    return [0.0]


def test_runs_that_end_together_are_one_line(
    tell: Any, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for now, firsts in ((280.0, range(1, 7)), (561.0, range(7, 13))):
        clock[0] = now
        for i, done in enumerate(firsts):
            tell(Advance(done, 12, firsts[-1] / 12, "a run", "finished", 561 - now, 5 - i))  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == [
        "6 of 12 runs, 280 s, about 281 s left",
        "12 of 12 runs, 561 s",
    ]


def test_searches_are_counted_apart_from_runs() -> None:
    """Four searches and twelve runs were "16 of 16 runs" on the way, and "12 runs" at the end."""

    def told(done: int) -> str:
        return progress.done_of(Advance(done, 16, done / 16, "a run", "finished"), 4)  # type: ignore[arg-type]

    assert told(3) == "3 of 4 searches, 0 of 12 runs"
    assert told(16) == "4 of 4 searches, 12 of 12 runs"
    assert progress.all_of(12, 4) == "4 searches, 12 runs"


def test_a_run_that_ends_otherwise_is_named_and_obeyed_by_no_terminal(
    tell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(Advance(1, 2, 0.5, "run of table(path='a\x1b[2J')", "diverged", more=1))  # type: ignore[arg-type]
    assert capsys.readouterr().out == "run of table(path='a\\x1b[2J'): diverged\n"


@pytest.mark.parametrize(
    ("where", "which", "is_last", "found"),
    [
        (False, False, False, "where to begin and with what is not decided yet"),
        (True, True, True, "no more seeds are needed"),
        (True, False, True, "with what is not decided, and no more seeds may be run"),
    ],
)
def test_a_look_is_a_line(
    where: bool,
    which: bool,
    is_last: bool,
    found: str,
    tell: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(Looked(3, 5, where, which, is_last))
    assert capsys.readouterr().out == f"look 3, 5 seeds: {found}\n"


def test_a_study_that_further_seeds_would_not_decide_says_so(
    tell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(Looked(3, 5, where=False, which=True, is_last=True, spared=15))
    assert capsys.readouterr().out == (
        "look 3, 5 seeds: where to begin is not decided, and 15 more seeds would hardly decide it: "
        "it ends\n"
    )
