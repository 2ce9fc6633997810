"""Runs that failed: what somebody's own part raised, or memory that was not there.

DIR/runs/<key>/failed.json  why; there until the run is done, which is tried again whenever the
                            study is run
"""

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from headstart import files
from headstart.errors import HeadstartError, as_memory, reason, said
from headstart.parts.registry import Component, own_file
from headstart.study.file.run_spec import RunSpec

FAILED = "failed.json"


def of_run(error: BaseException, run: RunSpec) -> str:
    """Why a run failed, in one line; empty where the error is not its own and the study cannot go
    on.
    """
    if (shortage := as_memory(error)) is not None:
        return str(shortage)
    if isinstance(error, HeadstartError):
        return ""
    if (blamed := _whose(error, run)) is None and isinstance(error, OSError):
        return ""
    told = f"{type(error).__name__}: {reason(error)}" if said(error) else type(error).__name__
    return f"{blamed or 'it'} raised {told}"


def note(folder: Path, run: RunSpec, why: str) -> None:
    """Write why a run failed to its folder."""
    files.write_record(folder / FAILED, {"run": run.key, "why": why})


def forget(folder: Path) -> None:
    """A run that is done did not fail."""
    (folder / FAILED).unlink(missing_ok=True)


def among(folders: Iterable[Path]) -> dict[str, str]:
    """Why those runs failed that did, by their keys.

    Raises:
        HeadstartError: a file is damaged.
    """
    whys: dict[str, str] = {}
    for folder in folders:
        if (folder / FAILED).exists():
            record = files.read_record(folder / FAILED)
            whys[str(record["run"])] = str(record["why"])
    return whys


def are_in(out: Path) -> bool:
    """Whether a run of the study in this folder has failed, and not ended since."""
    return any(out.glob(f"runs/*/{FAILED}"))


def line(failures: Mapping[str, str], runs: int) -> str:
    """What is said of runs that failed."""
    whys = list(dict.fromkeys(failures.values()))
    more = f"; and {len(whys) - 1} other reasons" if len(whys) > 1 else ""
    return (
        f"{len(failures)} of {runs} runs failed ({whys[0]}{more}); mend that and run again: what "
        "is done stays, and what failed is tried again"
    )


def _whose(error: BaseException, run: RunSpec) -> str | None:
    """The part of the user's own in whose file it happened: of several the one that was called
    last.
    """
    owners: dict[str, Component] = {}
    for part in run.parts:
        if (file := own_file(part)) is not None:
            owners[str(file)] = part
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in owners:
            part = owners[frame.filename]
            return f"{part.kind} {part.name!r} ({Path(frame.filename).name}, line {frame.lineno})"
    return None
