"""Carry out a study: starts first, then every run that is not done, in one process or several."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headstart import files
from headstart.errors import HeadstartError
from headstart.starts.base import STARTS
from headstart.study.choice import choose_executors
from headstart.study.federations import check_device, federation_of, one_thread
from headstart.study.processes import each_run
from headstart.study.spec import RunSpec, Study
from headstart.study.store import Folder
from headstart.study.stored_run import refuse_changed_files, start_weights
from headstart.study.tuning import as_rates, best_rates


@dataclass(frozen=True)
class Event:
    """A run that ended, for those who watch: `done` of `total`, and what came of it.

    `share`: of the work of all runs that were not done at the beginning, by rounds and local epochs.
    """

    done: int
    total: int
    share: float
    run: RunSpec
    status: str


def run_study(
    study: Study,
    out: str | Path,
    jobs: int = 1,
    checkpoint_seconds: float = 10.0,
    watch: Callable[[Event], None] = lambda event: None,
) -> Path:
    """Run or resume a study in the folder `out`; runs that are done are skipped. Returns the folder.

    Each process computes with one torch thread, so `jobs` changes no result. A process that is killed loses at
    most `checkpoint_seconds` of one run, and the run goes on to the same bits.

    Raises:
        HeadstartError: the study's parts do not fit together; the folder is in use, of another study, or damaged.
    """
    out = Path(out)
    try:
        with one_thread():
            check(study)
            with Folder(out).claimed(study.resolved()):
                _carry_on(study, out, jobs, checkpoint_seconds, watch)
    except OSError as error:
        raise HeadstartError(f"cannot go on in {out}: {error}") from error
    return out


def _carry_on(study: Study, out: Path, jobs: int, checkpoint_seconds: float, watch: Callable[[Event], None]) -> None:
    folder, keys = Folder(out), [run.key for run in study.runs]

    def gather() -> None:
        runs, _ = folder.gather(keys, study.file.target_accuracy)
        rows = best_rates(runs)
        if any(row["trials"] > 1 for row in rows):
            files.write(out / "results" / "rates.yaml", as_rates(rows))

    gather()  # reads all that is there, so that a damaged file is found before any training
    refuse_changed_files(study.runs, out)
    pending = [run for run in study.runs if not folder.is_done(run.key)]
    for run in {(run.start, run.model, run.task): run for run in pending}.values():
        start_weights(run, out)
    choose_executors(pending, out)
    work = {run.key: run.rounds * (1 + run.local_epochs) for run in pending}
    done, worked = len(keys) - len(pending), 0
    try:
        for run, status in each_run(pending, out, jobs, checkpoint_seconds):
            done, worked = done + 1, worked + work[run.key]
            watch(Event(done, len(keys), worked / sum(work.values()), run, status))
    except BaseException:
        with suppress(HeadstartError, OSError):  # what went wrong first is what the user must read
            gather()
        raise
    gather()


def check(study: Study) -> None:
    """Build what the runs are made of, without training.

    Raises:
        HeadstartError: task, model, partitions and cohort do not fit together.
    """
    check_device(study.file.device)
    samples: dict[object, RunSpec] = {}
    for run in study.runs:  # not every combination, but every part of one, and every dealing of the data
        samples |= dict.fromkeys(((run.partition, run.seed), run.client, run.server, run.devices, run.trainable), run)
    for run in {run.key: run for run in samples.values()}.values():
        federation_of(run)
    for start in {run.start for run in study.runs}:
        STARTS.build(start)
