"""A campaign tries what goes wrong: odd files and moments, each a command that must end well.

A kind of case is a module beside this one with

    def cases(seed: int, folder: Path) -> Iterator[Case]

which yields cases without end, the same ones for a seed. `folder` is empty and the campaign's own:
a case writes what it needs there before it is yielded, and may rely on nothing that is left by
another. `python -m tests.campaign KIND --minutes 60` tries them; the suite tries the first few of
each kind.
"""

import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_MEMORY = 12 * 2**30
"""Bytes of address space of a command; torch itself takes about four GiB of it."""


@dataclass(frozen=True)
class Ended:
    """What came of a command; `status` is None where it had to be killed."""

    status: int | None
    out: str
    err: str
    seconds: float
    folder: Path


Expectation = Callable[[Ended], str]
"""What is wrong with how a command ended, or nothing."""


@dataclass(frozen=True)
class Case:
    """One try: `headstart *command` in `folder`, within so many seconds."""

    name: str
    command: tuple[str, ...]
    expectation: Expectation
    folder: Path
    seconds: float = 60.0


@dataclass
class Tally:
    """How many were tried, and those that did not end well: the case, and what was wrong."""

    tried: int = 0
    statuses: dict[int | None, int] = field(default_factory=dict)
    broken: list[tuple[Case, str, Ended]] = field(default_factory=list)


def ends_well(ended: Ended) -> str:
    """Exit 0 without a traceback, or exit 2 with one line on standard error."""
    if ended.status is None:
        return f"did not end within {ended.seconds:.0f} s"
    if "Traceback" in ended.out + ended.err:
        return "a traceback"
    if ended.status == 0:
        return f"exit 0 and {ended.err!r} on standard error" if "rror" in ended.err else ""
    lines = ended.err.splitlines()
    if ended.status != 2:
        return f"exit {ended.status}"
    if len(lines) != 1 or not lines[0].startswith("error: "):
        return f"exit 2 and {len(lines)} lines on standard error"
    return ""


IMPORTED = (
    "cli",
    "study.runner",
    "tools.estimate",
    "tools.partitions",
    "study.tuning.search",
    "report.pages.study_page",
    "report.publication.folder",
)
"""What commands import: once, before the first is forked."""


def carry_out(
    cases: Iterator[Case], most: int | None = None, minutes: float | None = None
) -> Tally:
    """Try cases until so many were, or so long has passed."""
    for name in IMPORTED:
        importlib.import_module(f"headstart.{name}")
    for registry in importlib.import_module("headstart.cli.listing").registries().values():
        list(registry)
    tally, began = Tally(), time.monotonic()
    for case in cases:
        ended = run(case)
        tally.tried += 1
        tally.statuses[ended.status] = tally.statuses.get(ended.status, 0) + 1
        if wrong := case.expectation(ended):
            tally.broken.append((case, wrong, ended))
        if tally.tried == most or (minutes is not None and time.monotonic() - began > 60 * minutes):
            break
    return tally


def run(case: Case) -> Ended:
    """The command in a forked process of its own, which has all that this one has imported."""
    out, err = case.folder / ".stdout", case.folder / ".stderr"
    began = time.monotonic()
    child = os.fork()
    if not child:
        _command(case, out, err)
    status: int | None = None
    while time.monotonic() - began < case.seconds:
        ended, code = os.waitpid(child, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(code)
            break
        time.sleep(0.01)
    else:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    seconds = time.monotonic() - began
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return Ended(status, *texts, seconds, case.folder)  # type: ignore[arg-type, call-arg]


def _command(case: Case, out: Path, err: Path) -> None:
    """What the forked process does. Never returns."""
    status = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        for descriptor, path in enumerate(("/dev/null", out, err)):
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)  # type: ignore[arg-type]
            os.dup2(opened, descriptor)
        sys.stdin, sys.stdout, sys.stderr = (
            open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            for descriptor, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        os.chdir(case.folder)
        sys.argv = ["headstart", *case.command]
        from headstart.cli import main

        main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
