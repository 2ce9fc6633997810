"""The command itself: its version, its help, its completion, its pipe."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import headstart, invoke

from headstart import __version__ as headstart_version


def test_help_does_not_import_torch() -> None:
    code = """
import sys
from headstart.cli import main
main()
print('torch' in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False"
    assert all(command in ended.stdout for command in ("demo", "run", "check", "report", "list"))


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m headstart list | head -n 1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("starts\n", "")


def test_the_version_is_said() -> None:
    assert invoke("--version").stdout == f"headstart {headstart_version}\n"


def test_a_shell_is_given_completion() -> None:
    """As its `--show-completion` prints it; what the shell is comes from the environment where it
    cannot be seen.
    """
    shown = headstart(
        "--show-completion",
        "bash",
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert shown.returncode == 0
    assert "complete -o default -F" in shown.stdout


@pytest.mark.parametrize("name", ["yaml", "numpy", "random"])
def test_a_file_of_the_working_folder_is_not_taken_for_a_library(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("raise AssertionError('imported')")
    (tmp_path / "study.yaml").write_text("task: digits\nmodels: 3\n")
    ended = subprocess.run(
        [sys.executable, "-m", "headstart", "check", "study.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unknown key 'models'" in ended.stderr


def test_too_little_address_space_is_one_line_before_any_library() -> None:
    gigabyte = 2**30
    ended = subprocess.run(
        [sys.executable, "-m", "headstart", "list"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (gigabyte, gigabyte)),
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "error: this process may have 1.00 GiB of memory at once (ulimit -v), and 1.25 GiB are the "
        "least that its libraries load with; allow it more\n"
    )
