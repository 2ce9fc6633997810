"""What is printed: text of others is shown and not obeyed, a reader who leaves stops nothing,
any letter is printed.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headstart.wording.escapes import printable

STUDY = """
title: "K\\u00f6ln \\e[31mred\\a"
task: digits
model: mlp(hidden=[8])
population: 10
cohort: 3
batch_size: 60
rounds: 2
every: 2
seeds: [0, 1]
executor: loop
"""
HEADSTART = [sys.executable, "-m", "headstart"]


@pytest.fixture
def file(tmp_path: Path) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def without_reader(*arguments: Any) -> Any:
    """Runs a command whose standard output is closed at the other end before it begins."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [*HEADSTART, *map(str, arguments)]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    return ended


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;mine\x07", r"\x1b[2J\x1b]0;mine\x07"),
        ("a\rb\x9b31m\x7f", r"a\rb\x9b31m\x7f"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("Köln 東京\tl1\nl2 👩‍🔬", "Köln 東京\tl1\nl2 👩‍🔬"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_study_goes_on_when_nobody_reads_what_it_says(file: Path, tmp_path: Path) -> None:
    ended = without_reader("run", file, "--out", tmp_path / "out", "--jobs", 1)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "out/report.html").exists()


@pytest.mark.parametrize(
    "arguments", [["list"], ["--help"], ["inspect", "--task", "digits", "--partition", "iid"]]
)
def test_a_reader_who_leaves_is_no_error(arguments: Any) -> None:
    ended = without_reader(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_check_prints_any_title_to_a_terminal_of_ascii(file: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [*HEADSTART, "check", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == rf"{file}: K?ln \x1b[31mred\x07"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this machine has no /dev/full")
def test_a_full_disk_behind_standard_output_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*HEADSTART, "list", "servers"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr == "error: cannot write to standard output: No space left on device\n"
