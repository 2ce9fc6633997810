"""The commands as a group, the arguments that several of them have, and the entry point."""

import os
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from headstart import machine
from headstart.errors import HeadstartError, OutOfMemoryError, as_memory
from headstart.terminal import lenient, say

MOST_JOBS = 4096

SHOWS_TRACEBACKS = "HEADSTART_TRACEBACK"
"""The variable of the environment that has errors shown as Python raises them."""

USAGE: Any = typer.BadParameter.__mro__[1]
"""What is raised of a command line that is none: click's `UsageError`, or that of typer's own copy
of it.
"""

LONGEST = 4000
"""Letters of an error's line, which may hold what somebody else wrote."""


def absolute(path: Path | None) -> Path | None:
    """Return where a path leads now: a part of the user's own may change the working folder."""
    return None if path is None else Path(os.path.abspath(path))


FEWEST_ADDRESSES = 1.25 * 2**30
"""Bytes: with fewer (`ulimit -v`) the libraries do not end, or end the process, as they are loaded.
Measured with two threads: `check` of a small study takes 1.24 GiB, and 0.86 are not enough for one.
"""

StudyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A study file (YAML).")]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        callback=absolute,
        help="The folder of the results; resumed if it has some.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="MODULE",
        help="A module elsewhere than beside the study file that its own parts may come from; may "
        "be given again.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_JOBS,
        help="Processes; by default one for each core. With --on ray: groups of runs that are "
        "under way; by default as there is room for.",
    ),
]
Place = Annotated[
    str,
    typer.Option("--on", metavar="here|ray", help="Where runs are carried out: here, or on Ray."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="With --on ray: the cluster's head; by default the one that Ray finds here, else one "
        "of this machine alone.",
    ),
]
CheckpointSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds between checkpoints of a run under way.")
]


Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="NAME", help="tensorboard, mlflow or wandb; may be given several times."
    ),
]


Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="decided", help="Run further seeds until the study has decided."
    ),
]
First = Annotated[
    int | None, typer.Option("--first", help="With --until: seeds of the first look; 3.")
]
AtMost = Annotated[
    int | None, typer.Option("--at-most", help="With --until: so many seeds at most; 20.")
]
Margin = Annotated[
    float | None,
    typer.Option("--margin", help="Points of accuracy: a difference that does not matter; 0.5."),
]


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")]


class _Commands(TyperGroup):
    """The commands. None ends the program but by its own words: what else does is a part of the
    user's.
    """

    def invoke(self, ctx: Any) -> Any:
        """Carry out a command."""
        from headstart.parts.origin import Origin, within

        if (most := machine.most_addresses()) < FEWEST_ADDRESSES:
            raise OutOfMemoryError(
                f"this process may have {most / 2**30:.2f} GiB of memory at once (ulimit -v), and "
                f"{FEWEST_ADDRESSES / 2**30:.2f} GiB are the least that its libraries load with; "
                "allow it more"
            )
        try:
            with within(Origin(Path.cwd(), ())):
                return super().invoke(ctx)
        except SystemExit as error:
            raise HeadstartError(
                f"a part of your own ended the program (SystemExit: {error.code}), which is not "
                "its to end"
            ) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        import headstart

        say(f"headstart {headstart.__version__}")
        raise typer.Exit


@app.callback()
def headstart_(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version, and end."
        ),
    ] = False,
) -> None:
    """Where should federated training begin, and with which pair of client and server
    optimizers?
    """


def main() -> None:
    """Entry point: an error of the user's is one line on standard error and exit status 2."""
    warnings.showwarning = _one_line  # type: ignore[assignment]
    os.environ.setdefault(*ONE_ALLOCATOR)
    try:
        with lenient():
            status = _status()
    except SystemExit as end:  # a completion was shown, or standard output could not be written
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    _end_without_threads(status)
    if status:
        sys.exit(status)


def _status() -> int:
    """Carry out the command, and return its exit status."""
    try:
        status = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except USAGE as error:
        if text := error.format_message().rstrip(" ."):
            command = error.ctx.command_path if error.ctx else "headstart"
            line = f"{text[0].lower()}{text[1:]}; `{command} --help` shows what there is"
            say(f"error: {' '.join(line.split())}", to=sys.stderr)
        return 2  # without a text it has shown the help
    except Exception as error:
        if os.environ.get(SHOWS_TRACEBACKS):
            raise
        known = error if isinstance(error, HeadstartError | OSError) else as_memory(error)
        line = " ".join(str(known or _unexpected(error)).split())
        say(f"error: {line if len(line) <= LONGEST else line[:LONGEST] + '…'}", to=sys.stderr)
        return 2 if known is not None else 1
    return status if isinstance(status, int) else 0


ONE_ALLOCATOR = "ARROW_DEFAULT_MEMORY_POOL", "system"
"""Has pyarrow take memory from where torch and Python do. Its own allocator shares what is freed
with nobody: 55 MiB at the end of a study of 20,000 rounds.
"""

GRACE = 5.0
"""Seconds in which threads that somebody else began may end once the command has."""


def _end_without_threads(status: int) -> None:
    """Have the program end soon, though a thread that a plugin or a part of the user's began never
    does.
    """

    def end() -> None:
        threading.main_thread().join()
        time.sleep(GRACE)
        going_on = [one.name for one in threading.enumerate() if not one.daemon and one.is_alive()]
        if going_on:
            say(f"note: ended without a thread that goes on ({going_on[0]})", to=sys.stderr)
            os._exit(status)

    with suppress(RuntimeError):  # no thread is to be had
        threading.Thread(target=end, daemon=True).start()


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
        f"({error}); {SHOWS_TRACEBACKS}=1 in the environment shows more, to report it"
    )
