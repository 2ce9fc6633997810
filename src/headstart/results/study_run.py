"""`run_study` and `write_report` as a program calls them: what they are given is looked at
first.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import HeadstartError
from headstart.results.study_results import Results, load

if TYPE_CHECKING:
    from headstart.study.events import Measured
    from headstart.study.looking.stages import Looked
    from headstart.study.places.pace import Advance
    from headstart.study.spec import Study


def run_study(
    study: "Study",
    out: str | os.PathLike[str],
    jobs: int | None = None,
    checkpoint_seconds: float = 10.0,
    watch: "Callable[[Advance], object] | None" = None,
    track: object = None,
    on: str = "here",
    address: str | None = None,
) -> Results:
    """Run or resume a study in the folder `out`, and return its results, which stand for the folder
    too.

    Args:
        study: a `Study`. More seeds, starts or pairs than the folder has are added to it.
        jobs: processes; how many changes no result. They are forked on Linux, so that a script
            needs no main guard. On a cluster: how many groups of runs are under way. By default
            one process, and on a cluster as many as it has room for.
        checkpoint_seconds: a process that is killed loses at most so much of the runs that it had
            under way.
        watch: is called with an `Advance` for every run that ends.
        track: "tensorboard", "mlflow" or "wandb", several of them in a list, or an object with the
            methods of `headstart.trackers.base.Tracker`. It follows what runs measure, and changes
            none of them.
        on: "here", or "ray" for the cluster that Ray finds; without one it is begun on this
            machine. Changes no result.
        address: of that cluster's head, such as "10.0.0.1:6379".

    Raises:
        HeadstartError: the study's parts do not fit together; the folder is in use, of another
            study, or damaged.
    """
    from headstart.study.places.opening import THIS_MACHINE, On
    from headstart.study.places.pace import Advance
    from headstart.study.runner import on_stderr
    from headstart.study.runner import run_study as run
    from headstart.study.spec import Study
    from headstart.trackers.following import following

    if not isinstance(study, Study):
        raise HeadstartError(
            "run_study: expected a study, as Study(task=..., model=...) or Study.load(path) makes "
            f"one, got {type(study).__name__}"
        )
    if not isinstance(out, str | os.PathLike):
        raise HeadstartError(
            f"run_study: expected a folder for the results, got {type(out).__name__}"
        )
    place = On.named(on, address)
    if jobs is None and place == THIS_MACHINE:
        jobs = 1
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise HeadstartError(f"jobs: expected a whole number >= 1, got {jobs!r}")
    if isinstance(checkpoint_seconds, bool) or not isinstance(checkpoint_seconds, int | float):
        raise HeadstartError(
            f"checkpoint_seconds: expected a number >= 0, got {checkpoint_seconds!r}"
        )
    if not checkpoint_seconds >= 0:
        raise HeadstartError(
            f"checkpoint_seconds: expected a number >= 0, got {checkpoint_seconds!r}"
        )
    if watch is not None and not callable(watch):
        raise HeadstartError(f"watch: expected a function of an event, got {type(watch).__name__}")

    def tell(event: "Measured | Advance | Looked") -> None:
        if watch is not None and isinstance(event, Advance):
            watch(event)

    with following(track, study, Path(out), tell, on_stderr) as watching:
        run(study, Path(out), jobs, checkpoint_seconds, watching, on_stderr, place)
    return load(out)


def write_report(directory: str | os.PathLike[str], processes: int = 1) -> Path:
    """Write the report of the study in a folder and return the path of its page; `processes` draw
    its figures.

    Raises:
        HeadstartError: the study cannot be read or a file cannot be written.
    """
    from headstart.report.pages.study_page import write

    if not isinstance(directory, str | os.PathLike):
        raise HeadstartError(
            f"write_report: expected the folder of a study, got {type(directory).__name__}"
        )
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        raise HeadstartError(f"processes: expected a whole number >= 1, got {processes!r}")
    return write(Path(directory), processes)
