"""The commands that check and run studies."""

import os
import sys
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.commands import (
    Address,
    Allow,
    AtMost,
    CheckpointSeconds,
    First,
    Jobs,
    Margin,
    Out,
    Place,
    StudyFile,
    Track,
    Until,
    app,
)
from headstart.terminal import say
from headstart.wording.phrases import duration

if TYPE_CHECKING:
    from headstart.study.places.opening import On
    from headstart.study.spec import Study


@app.command()
def demo(out: Out = Path("demo"), jobs: Jobs = None) -> None:
    """Run the study that ships with Headstart: real handwritten digits, no download, about a
    minute.
    """
    from headstart.study.spec import Study

    with resources.as_file(resources.files("headstart") / "studies" / "demo.yaml") as path:
        study = Study.load(path)
    _run(study, out, jobs, checkpoint_seconds=10.0)


@app.command()
def run(
    file: StudyFile,
    out: Out,
    jobs: Jobs = None,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    allow: Allow = None,
    track: Track = None,
    until: Until = None,
    first: First = None,
    at_most: AtMost = None,
    margin: Margin = None,
    on: Place = "here",
    address: Address = None,
) -> None:
    """Run a study, or go on with one that was interrupted, and write its report."""
    from headstart.study.file.asked import LooksAsked
    from headstart.study.places.opening import On
    from headstart.study.spec import Study

    asked, place = LooksAsked(until, first, at_most, margin), On.named(on, address)
    _run(Study.load(file, allow or (), asked=asked), out, jobs, checkpoint_seconds, track, place)


@app.command()
def paper(
    finding: Annotated[
        str,
        typer.Argument(
            help="ranking, iid-gap, local-epochs, devices, curvature, alignment, "
            "speedup, initial-loss, gd-vs-sgd or all"
        ),
    ],
    task: Annotated[
        str,
        typer.Option(help="digits, mnist-writers, cifar10, shakespeare, stackoverflow or reddit"),
    ],
    out: Out,
    scale: Annotated[
        str, typer.Option(help="toy (a quick check), cpu (for two cores) or full (as the paper)")
    ] = "cpu",
    model: Annotated[
        str | None,
        typer.Option(
            help="another network: resnet8, resnet20 or resnet18 for cifar10, charlm for "
            "stackoverflow and reddit"
        ),
    ] = None,
    jobs: Jobs = None,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    write_only: Annotated[
        bool, typer.Option("--write-only", help="Write the study file, to edit it; run nothing.")
    ] = False,
) -> None:
    """Write the study of a finding of "Where to Begin?" to DIR/paper.yaml, and run it.

    A file that is there already is run as it stands, so it can be edited before the first run.
    """
    from headstart import files
    from headstart.paper.presets import study_text
    from headstart.study.folder.store import WRITTEN
    from headstart.study.spec import Study

    text, path = study_text(finding, task, scale, model), out / WRITTEN
    if not path.exists():
        files.write(path, text)
    elif path.read_text(encoding="utf-8", errors="replace") != text:
        say(f"{path} is there already and differs from the preset; it is run as it stands")
    say(f"study: {path}")
    if not write_only:
        _run(Study.load(path), out, jobs, checkpoint_seconds)


@app.command()
def check(
    file: StudyFile,
    allow: Allow = None,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like",
            metavar="DIR",
            help="Results of a similar study, or of the first seeds of this one: how much "
            "differences spread over seeds.",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Points of accuracy: how many seeds such a difference takes; with --until, one "
            "that does not matter.",
        ),
    ] = None,
    until: Until = None,
    first: First = None,
    at_most: AtMost = None,
) -> None:
    """Check a study file and what it names; print its grid, its runs, an estimate of time, and
    which differences it can decide; with --until, how often and after how many seeds it will.
    """
    from headstart.study.check import check as check_study
    from headstart.study.file.asked import LooksAsked
    from headstart.study.spec import Study
    from headstart.tools.outline import outline
    from headstart.tools.power import UNKNOWN, spreads_of

    asked = LooksAsked(until, first, at_most, margin)
    study = Study.load(file, allow or (), asked=asked)
    spreads = spreads_of(like) if like else UNKNOWN
    of_starts = check_study(study)
    title = study.file.title or study.file.name
    say(f"{file}: {' '.join(title.split())}")
    for line in outline(study, of_starts, spreads):
        say(f"  {line}")


def _run(
    study: "Study",
    out: Path,
    jobs: int | None,
    checkpoint_seconds: float,
    track: list[str] | None = None,
    on: "On | None" = None,
) -> None:
    from headstart.cli.progress import all_of, watching
    from headstart.report.judgement.reading import read
    from headstart.report.pages.study_page import refuse_changed, write_reading
    from headstart.report.written_files import alone
    from headstart.study.folder import failed
    from headstart.study.looking.stages import sure
    from headstart.study.places.opening import THIS_MACHINE
    from headstart.study.runner import on_stderr, run_study
    from headstart.study.tuning.search import searches
    from headstart.trackers.following import following

    began, cores = time.perf_counter(), os.cpu_count() or 1
    runs, tuned = len(sure(study)), len(searches(study))
    refuse_changed(out)
    try:
        with (
            watching(runs, tuned) as shown,
            following(track, study, out, shown, on_stderr) as watch,
        ):
            run_study(study, out, jobs, checkpoint_seconds, watch, on_stderr, on or THIS_MACHINE)
    except KeyboardInterrupt:
        say(
            f"interrupted; what is done is in {out}; run the same command again to go on",
            to=sys.stderr,
        )
        raise typer.Exit(130) from None
    with alone(out):
        reading = read(out)
        page = write_reading(reading, min(jobs or cores, cores))
    records = reading.grid.records
    runs = (records.planned or 0) + len(records.baseline_runs)
    say(f"{all_of(runs, tuned)} in {duration(time.perf_counter() - began)}")
    for line in reading.verdict.lines:
        say(line)
    say(f"report: {page}")
    if failed.are_in(out):
        raise typer.Exit(1)
