"""What is wrong is one line and exit 2, before anything is written."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OWN, STUDY, headstart, invoke

from headstart import cli
from headstart.cli import commands
from headstart.errors import HeadstartError

BAD = [
    ("clients: [sgd, {proximal: {mu: abc}}]", "clients[1].mu: expected a number >= 0, got 'abc'"),
    ("clients: fedprx", "clients[0]: unknown client optimizer 'fedprx'; did you mean 'proximal'?"),
    ("cohort: 11", "cohort: expected at most the number of clients (population: 10), got 11"),
    ("roundss: 3", "unknown key 'roundss'; did you mean 'rounds'?"),
]


@pytest.mark.parametrize(("line", "error"), BAD)
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_input_is_refused_before_anything_is_written(
    command: str, line: Any, error: Any, file: Path, tmp_path: Path
) -> None:
    key = line.split(":")[0]
    kept = [each for each in STUDY.splitlines() if not each.startswith(f"{key}:")]
    file.write_text("\n".join([*kept, line]))
    result = invoke(command, file, *(["--out", tmp_path / "out"] if command == "run" else []))
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception).startswith(f"{file}: {error}")
    assert list(tmp_path.iterdir()) == [file]


MISFITS = [
    ("partitions: natural", "'natural' needs to know whose each row is"),
    ("population: 1300", "1200 training rows cannot be dealt to 1300 clients so that each has one"),
    ("model: tests_own_models:wide",
     "the model's output does not fit the task: expected [2, 10] for 2 rows, got [2"),
    ("model: tests_own_models:normed",
     "the model has BatchNorm ('1'), whose statistics mix clients; convert it with"),
    ("model: tests_own_models:broken",
     "model 'tests_own_models:broken' failed: RuntimeError: no weights"),
    ("model: tests_own_models:nothing", "cannot import 'tests_own_models:nothing': "),
    ("task: tests_own_models:labels",
     "task 'own': expected labels 0 to 1 in its train split, got 0 to 2"),
    ("task: tests_own_models:empty",
     "task 'own': expected at least one row in its test split, got none"),
    ("task: tests_own_models:floats",
     "task 'own': its loss does not take outputs of shape [2, 2] with targets"),
    ("starts: proxy(task='digit')",
     "start proxy.task: unknown task 'digit'; did you mean 'digits'?"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "error"), MISFITS)
def test_parts_that_do_not_fit_are_refused_before_anything_is_written(
    line: Any, error: Any, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "tests_own_models.py").write_text(OWN)
    key = line.split(":")[0]
    file.write_text(
        "\n".join([*(each for each in STUDY.splitlines() if not each.startswith(f"{key}:")), line])
    )
    result = invoke("run", file, "--out", tmp_path / "out")
    assert isinstance(result.exception, HeadstartError), result.exception
    assert error in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [["--jobs", "0"], ["--jobs", "two"], ["--checkpoint-seconds", "-1"]]
)
def test_options_out_of_range_exit_with_2(arguments: Any, file: Path, tmp_path: Path) -> None:
    result = invoke("run", file, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--until", "today"], "seeds.until: expected decided, got 'today'"),
        (
            ["--until", "decided", "--at-most", "1"],
            "seeds.at_most: expected a whole number >= 2 and <= 200, got 1",
        ),
        (
            ["--until", "decided", "--first", "1"],
            "seeds.first: expected a whole number >= 2, got 1",
        ),
        (
            ["--until", "decided", "--first", "5", "--at-most", "4"],
            "seeds.at_most: expected first (5) or more, got 4",
        ),
        (
            ["--at-most", "9"],
            "--first, --at-most: this study lists its seeds; give --until decided as well",
        ),
        (["--margin", "-1"], "margin: expected a number >= 0 and <= 100, got -1.0"),
        (["--margin", "nan"], "margin: expected a number >= 0 and <= 100, finite, got nan"),
    ],
)
def test_looks_without_sense_are_refused_before_anything_is_written(
    arguments: list[str], error: str, file: Path, tmp_path: Path
) -> None:
    result = invoke("run", file, "--out", tmp_path / "out", *arguments)
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception) == f"{file}: {error}"
    assert list(tmp_path.iterdir()) == [file]


def test_an_error_is_one_line_on_standard_error_and_exit_2(file: Path) -> None:
    file.write_text(STUDY.replace("0.5", "abc"))
    ended = headstart("check", file)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"error: {file}: clients[1].mu: expected a number >= 0, got 'abc'\n"


SLIPS = [
    (["run"], "missing argument 'FILE'; `headstart run --help` shows what there is"),
    (["nope"], "no such command 'nope'; `headstart --help` shows what there is"),
    (["run", "a", "--bogus"], "no such option"),
    (["demo", "--jobs", "0"], "invalid value for '--jobs': "),
]


@pytest.mark.parametrize(("arguments", "line"), SLIPS)
def test_a_command_line_that_is_none_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: Any, line: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["headstart", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {line}")
    assert shown.count("\n") == 1


EXITS = """
import sys
from torch import nn


class Net(nn.Linear):
    def forward(self, x):
        sys.exit(0)


def net(shape, outputs):
    return Net(64, outputs)
"""


def test_a_part_of_ones_own_cannot_end_the_program(file: Path, tmp_path: Path) -> None:
    (tmp_path / "own_ends_of_test.py").write_text(EXITS)
    file.write_text(STUDY.replace("mlp(hidden=[8])", "own_ends_of_test:net"))
    result = invoke("check", file)
    assert isinstance(result.exception, HeadstartError)
    assert "ended the program (SystemExit: 0)" in str(result.exception)


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (KeyError("x"), 1, "error: this should not happen, and is a fault of Headstart: KeyError"),
        (MemoryError(), 2, "error: this machine has not enough memory"),
        (
            RecursionError(),
            1,
            "error: this should not happen, and is a fault of Headstart: RecursionError",
        ),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(
    raised: Any,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def app(**_: Any) -> None:
        raise raised

    monkeypatch.setattr(commands, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert (ended.value.code, told.count("\n")) == (status, 1)
    assert told.startswith(line)
    monkeypatch.setenv("HEADSTART_TRACEBACK", "1")
    with pytest.raises(type(raised)):
        cli.main()


@pytest.mark.parametrize("command", [["bench", "digits-mlp", "--executor"], ["inspect", "--task"]])
def test_a_command_line_names_no_code_from_elsewhere(command: Any) -> None:
    result = invoke(*command, "http.server:test")
    assert isinstance(result.exception, HeadstartError)
    assert "'http.server' from elsewhere is taken only with --allow http.server" in str(
        result.exception
    )
