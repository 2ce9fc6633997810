"""Carry out a study: starts first, then every run that is not done, in one process or several."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from headstart import files
from headstart.engine.journal import Row
from headstart.errors import HeadstartError
from headstart.escapes import printable
from headstart.forks import cannot_share
from headstart.parts.lookup import forget_changed
from headstart.probes.base import PROBES
from headstart.starts.base import STARTS
from headstart.study.choice import choose_executors, chosen_executor, with_executor
from headstart.study.data import task_of
from headstart.study.federations import build_network, check_device, federation_of, network_of, one_thread
from headstart.study.folder import failed
from headstart.study.folder.store import Folder
from headstart.study.groups import Group, at_once, groups_of
from headstart.study.places.pace import Pace
from headstart.study.places.processes import each, each_group, forks_here, longest_first
from headstart.study.resuming.belonging import refusal, take_up
from headstart.study.spec import RunSpec, Study
from headstart.study.stream import keep_modules, keep_notes, refuse_changed_files, start_weights
from headstart.study.tuning.best_rates import as_rates, best_rates
from headstart.study.tuning.search import (
    Search,
    best_of,
    carry_out_search,
    refuse_unequal_budgets,
    searches,
    stored,
    tuned_runs,
)
from headstart.study.tuning.trials import table_of


@dataclass(frozen=True)
class Event:
    """A run that ended, or the search for its rates: `done` of `total`, and what came of it.

    `share`: of the work of all searches and runs that were not done at the beginning, by rounds and
    local epochs; what is under way counts by the time it has taken. `left`: the seconds that the rest
    takes, about. `more`: runs that ended together with this one and are told after it.
    """

    done: int
    total: int
    share: float
    run: RunSpec | Search
    status: str
    left: float = 0.0
    more: int = 0


def on_stderr(line: str) -> None:
    """Print a line for the user, with control characters written out."""
    print(f"note: {printable(line)}", file=sys.stderr, flush=True)


def run_study(
    study: Study,
    out: str | Path,
    jobs: int = 1,
    checkpoint_seconds: float = 10.0,
    watch: Callable[[Event], None] = lambda event: None,
    tell: Callable[[str], None] = on_stderr,
    follow: Callable[[RunSpec, Sequence[Row]], None] | None = None,
) -> Path:
    """Run or resume a study in the folder `out`; runs that are done are skipped. Returns the folder.

    A study that adds to the one in the folder, such as more seeds, rounds or trials, goes on from what is there.
    `tell` is given lines about what a user would not expect; by default they are printed on standard error. `follow` is
    given what runs measure while they are under way; of a run that is gone on with, also what was measured before.

    Each process computes with one torch thread, so `jobs` changes no result. A process that is killed loses at
    most `checkpoint_seconds` of the runs that it had under way, and they go on to the same bits.

    Raises:
        HeadstartError: the study's parts do not fit together; the folder is in use, of another study, or damaged.
    """
    out = Path(out)
    if jobs > 1 and study.given and not forks_here(study.file.device):
        raise HeadstartError(
            "jobs: what a Python program gave (functions, tensors) reaches processes that are forked, as on Linux with "
            "device cpu, and no others; use jobs=1, or name functions in the study as 'module:function'"
        )
    try:
        with one_thread():
            notes = check(study)
            with Folder(out).claimed(study.resolved(), lambda: refusal(study, out, tell)):
                keep_notes(notes, out)
                _carry_on(study, out, jobs, checkpoint_seconds, watch, tell, follow)
    except OSError as error:
        raise HeadstartError(f"cannot go on in {out}: {error}") from error
    return out


def _carry_on(
    study: Study,
    out: Path,
    jobs: int,
    checkpoint_seconds: float,
    watch: Callable[[Event], None],
    tell: Callable[[str], None],
    follow: Callable[[RunSpec, Sequence[Row]], None] | None,
) -> None:
    folder, tuned = Folder(out), searches(study)
    runs = _runs(study, tuned, out)

    def failures() -> dict[str, str]:
        return failed.among(folder.run(run.key) for run in runs)

    def gather() -> None:
        trials = table_of({search: stored(out, search) for search in tuned}) if tuned else None
        keys = [run.key for run in runs]
        table, _ = folder.gather(keys, study.file.target_accuracy, study.resolved(), trials, failures())
        rows = best_rates(table)
        if any(row["trials"] > 1 for row in rows):
            files.write(out / "results" / "rates.yaml", as_rates(rows))

    gather()  # reads all that is there, so that a damaged file is found before any training
    if jobs > 1 and (lacking := cannot_share()):
        tell(f"several processes need a /dev/shm that can be written ({lacking}); the study is run in one")
        jobs = 1
    refuse_changed_files(runs, out)
    keep_modules(runs, out)
    unsearched = [search for search in tuned if len(stored(out, search)) < search.trials]
    pending = [run for run in runs if tuned or not folder.is_done(run.key)]
    for run in {(run.start, run.model, run.task): run for run in pending}.values():
        _make_start(run, out)
    work: dict[Search | RunSpec, float] = {search: search.trials * _work(search.base) for search in unsearched}
    work |= {run: _work(run) for run in pending}
    total, left = len(tuned) + len(runs), sum(work.values())
    done, worked = len(tuned) - len(unsearched), 0.0
    try:
        choose_executors([*(search.base for search in tuned), *runs] if pending else [], out)
        pace = Pace({search: work[search] for search in unsearched}, jobs)
        for search, status in each(unsearched, partial(_one_search, out), jobs, study.runs[:1]):
            done, worked = done + 1, worked + work[search]
            so_far = pace.ended(search)
            watch(Event(done, total, so_far / left, search, status, pace.seconds_for(left - so_far)))
        if tuned:
            runs = _runs(study, tuned, out)
            pending = [run for run in runs if not folder.is_done(run.key)]
            total, left = len(tuned) + len(runs), worked + sum(map(_work, pending))
        take_up({run.key for run in runs}, pending, out, tell)
        choose_executors(runs if pending else [], out)
        done += len(runs) - len(pending)
        groups = [group for group in _groups(runs, out) if not set(pending).isdisjoint(group)] if pending else []
        groups = longest_first(groups, jobs)
        pace = Pace({group: sum(map(_work, set(pending) & set(group))) for group in groups}, jobs)
        by_key = {run.key: run for run in pending}

        def hear(key: str, rows: Sequence[Row]) -> None:
            if follow is not None:
                follow(by_key[key], rows)

        heard = hear if follow is not None else None
        for group, ended in each_group(groups, out, jobs, checkpoint_seconds, heard):
            so_far = worked + pace.ended(group)
            seconds = pace.seconds_for(left - so_far)
            for more, (run, status) in zip(range(len(ended))[::-1], ended, strict=True):
                done += 1
                watch(Event(done, total, so_far / left, run, status, seconds, more))
    except BaseException:
        with suppress(HeadstartError, OSError):  # what went wrong first is what the user must read
            gather()
        raise
    if work:
        gather()
    if failing := failures():
        tell(failed.line(failing, len(runs)))


def _make_start(run: RunSpec, out: Path) -> None:
    """Once, before processes would make it several times; where it fails, the runs that begin from it fail."""
    try:
        start_weights(run, out)
    except Exception as error:  # whatever somebody's own start may raise
        if not failed.of_run(error, run):
            raise


def _runs(study: Study, tuned: list[Search], out: Path) -> list[RunSpec]:
    """The runs of the study, with the values that its searches found once all of them have ended."""
    found = {search: stored(out, search) for search in tuned}
    if any(len(trials) < search.trials for search, trials in found.items()):
        return study.runs
    refuse_unequal_budgets(found)
    return tuned_runs(study, {search: best_of(trials) for search, trials in found.items()}) if tuned else study.runs


def _groups(runs: list[RunSpec], out: Path) -> list[Group]:
    return groups_of(runs, lambda run: at_once(with_executor(run, chosen_executor(run, out)).executor))


def _work(run: RunSpec) -> float:
    return run.rounds * (1 + run.local_epochs)


def _one_search(out: Path, search: Search, is_stopping: Callable[[], bool]) -> str:
    try:
        return carry_out_search(out, search, is_stopping)
    except Exception as error:  # whatever somebody's own part may raise
        if why := failed.of_run(error, search.base):
            raise HeadstartError(f"tuning: a trial of {search.base} failed: {why}") from error
        raise


def check(study: Study) -> dict[str, list[str]]:
    """Build what the runs are made of, without training.

    Returns what is to be known of starts, by their names: what was left out of a file, what became of a head.

    Raises:
        HeadstartError: task, model, partitions, cohort and probes do not fit together.
    """
    forget_changed()
    check_device(study.file.device)
    samples: dict[object, RunSpec] = {}
    for run in study.runs:  # not every combination, but every part of one, and every dealing of the data
        samples |= dict.fromkeys(((run.partition, run.seed), run.client, run.server, run.devices, run.trainable), run)
    for search in searches(study):
        samples |= {
            ("search", search.base.partition, search.base.client, seed): replace(search.base, seed=seed)
            for seed in search.seeds
        }
    for run in {run.key: run for run in samples.values()}.values():
        federation = federation_of(run)
    for probe in study.probes:  # a probe looks at no more of a run than all have
        PROBES.build(probe, federation)
    notes: dict[str, list[str]] = {}
    for run in {run.start: run for run in study.runs}.values():
        start = STARTS.build(run.start)
        said = start.check(network_of(run.model, run.task), task_of(run.task), partial(build_network, run.model))
        if said:
            notes[str(run.start)] = list(said)
        if start.before is not None:
            federation_of(replace(run, trainable=start.before.trainable))
    return notes
