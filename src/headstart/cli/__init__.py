"""The command line: each command reads its arguments, calls one function of the library, and
prints.
"""

import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import typer

from headstart.cli import outcomes, studies, tools  # noqa: F401 - commands in the order of the help
from headstart.cli.commands import app
from headstart.errors import HeadstartError, as_memory
from headstart.terminal import lenient, say

SHOWS_TRACEBACKS = "HEADSTART_TRACEBACK"
"""The variable of the environment that has errors shown as Python raises them."""

USAGE: Any = typer.BadParameter.__mro__[1]
"""What is raised of a command line that is none: click's `UsageError`, or that of typer's own copy
of it.
"""

LONGEST = 4000
"""Letters of an error's line, which may hold what somebody else wrote."""


def main() -> None:
    """Entry point: an error of the user's is one line on standard error and exit status 2."""
    warnings.showwarning = _one_line  # type: ignore[assignment]
    with lenient():
        try:
            status = app(standalone_mode=False)
        except (KeyboardInterrupt, typer.Abort):
            sys.exit(130)
        except USAGE as error:
            if text := error.format_message().rstrip(" ."):
                command = error.ctx.command_path if error.ctx else "headstart"
                line = f"{text[0].lower()}{text[1:]}; `{command} --help` shows what there is"
                say(f"error: {' '.join(line.split())}", to=sys.stderr)
            sys.exit(2)  # without a text it has shown the help
        except Exception as error:
            if os.environ.get(SHOWS_TRACEBACKS):
                raise
            known = error if isinstance(error, HeadstartError | OSError) else as_memory(error)
            line = " ".join(str(known or _unexpected(error)).split())
            say(f"error: {line if len(line) <= LONGEST else line[:LONGEST] + '…'}", to=sys.stderr)
            sys.exit(2 if known is not None else 1)
        if isinstance(status, int) and status:
            sys.exit(status)


def _one_line(message: Warning | str, *_: object) -> None:
    """Say a warning of Python's as a note, without the line of code that gave it."""
    say(f"note: {' '.join(str(message).split())}", to=sys.stderr)


def _unexpected(error: Exception) -> str:
    """What is said of an error that nobody foresaw: a fault of Headstart's own."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "headstart" in Path(frame.filename).parts
    ]
    place = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return (
        f"this should not happen, and is a fault of Headstart: {type(error).__name__}{place} "
        f"({error}); "
        f"{SHOWS_TRACEBACKS}=1 in the environment shows more, to report it"
    )
