"""The first cases of every kind of campaign; `python -m tests.campaign KIND` tries more."""

import importlib
import importlib.util
from pathlib import Path

import pytest
from tests.campaign.frame import IMPORTED, Case, Ended, carry_out, ends_well

KINDS = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in ("__main__", "frame") and not path.stem.startswith("test_")
)
FEW = 8


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_cases_of_a_kind_end_well(kind: str, tmp_path: Path) -> None:
    cases = importlib.import_module(f"tests.campaign.{kind}").cases(0, tmp_path)
    tally = carry_out(cases, most=FEW)
    assert tally.tried == FEW
    assert [(case.name, wrong, ended.err) for case, wrong, ended in tally.broken] == []


@pytest.mark.parametrize("name", IMPORTED)
def test_what_is_imported_at_first_is_there(name: str) -> None:
    assert importlib.util.find_spec(f"headstart.{name}") is not None


ENDS = [
    ((0, "4 runs", ""), ""),
    ((2, "", "error: no such file\n"), ""),
    ((2, "", "error: one\nand another\n"), "exit 2 and 2 lines on standard error"),
    ((2, "", ""), "exit 2 and 0 lines on standard error"),
    ((1, "", "Traceback (most recent call last):\n"), "a traceback"),
    ((-6, "", ""), "exit -6"),
    ((None, "", ""), "did not end within 3 s"),
]


@pytest.mark.parametrize(("ended", "wrong"), ENDS)
def test_what_ends_well(ended: tuple[int | None, str, str], wrong: str, tmp_path: Path) -> None:
    assert ends_well(Ended(*ended, 3.0, tmp_path)) == wrong


def test_a_command_is_tried_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("task: digit\nmodel: mlp\n")
    case = Case("a slip", ("check", "study.yaml"), ends_well, tmp_path)
    tally = carry_out(iter([case, case]), most=2)
    assert (tally.tried, tally.statuses, tally.broken) == (2, {2: 2}, [])
    line = "error: study.yaml: task: unknown task 'digit'; did you mean 'digits'?\n"
    assert (tmp_path / ".stderr").read_text() == line
