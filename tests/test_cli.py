"""The command itself: its version, its help, its completion, its pipe."""

import os
import subprocess
import sys

from tests.cli.conftest import headstart, invoke

from headstart import __version__ as headstart_version


def test_help_does_not_import_torch() -> None:
    code = """
import sys
from headstart.cli import main
main()
print('torch' in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"
    assert all(command in ended.stdout for command in ("demo", "run", "check", "report", "list"))


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m headstart list | head -n 1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("starts\n", "")


def test_the_version_is_said() -> None:
    assert invoke("--version").stdout == f"headstart {headstart_version}\n"


def test_a_shell_is_given_completion() -> None:
    """As its `--show-completion` prints it; what the shell is comes from the environment where it cannot be seen."""
    shown = headstart(
        "--show-completion", "bash", env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    )
    assert shown.returncode == 0
    assert "complete -o default -F" in shown.stdout
