"""Carry out a study: starts first, then every run that is not done, in one process or several."""

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from headstart import files, tables
from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.looks.record import LOOKED, Record, looks_taken, read_record, record_for
from headstart.looks.record import table_of as looks_table
from headstart.study.baselines.constant_answer import baseline_table
from headstart.study.baselines.other_training import baseline_runs
from headstart.study.beginnings import start_weights
from headstart.study.check import check
from headstart.study.events import Ended, Event, Failed, Measured, Tried
from headstart.study.executor_choice import choose_executors, chosen_executor, with_executor
from headstart.study.file.run_spec import RunSpec
from headstart.study.folder import failed
from headstart.study.folder.part_files import keep_modules, keep_notes, refuse_changed_files
from headstart.study.folder.store import Folder
from headstart.study.folder.writer import Writer
from headstart.study.groups import Group, at_once, groups_of
from headstart.study.looking.stages import Looked, decided_so_far, due, groups_by_look
from headstart.study.places.base import Place, StreamIn
from headstart.study.places.opening import THIS_MACHINE, On, opened
from headstart.study.places.pace import Advance, Tally
from headstart.study.resuming.belonging import refusal, take_up
from headstart.study.spec import Study
from headstart.study.stream import carry_out
from headstart.study.tuning.best_rates import as_rates, best_rates
from headstart.study.tuning.search import Search, Values, searches, tuned_runs
from headstart.study.tuning.table import table_of
from headstart.study.tuning.trials import (
    Trial,
    best_of,
    carry_out_search,
    refuse_unequal_budgets,
    stored,
)
from headstart.tables import RESULTS
from headstart.wording.escapes import printable

Watch = Callable[[Measured | Advance | Looked], None]
"""Is told what runs measure while they are under way, of each that ends, and of looks."""


def on_stderr(line: str) -> None:
    """Print a line for the user, with control characters written out."""
    print(f"note: {printable(line)}", file=sys.stderr, flush=True)


def run_study(
    study: Study,
    out: str | Path,
    jobs: int | None = 1,
    checkpoint_seconds: float = 10.0,
    watch: Watch = lambda event: None,
    tell: Callable[[str], None] = on_stderr,
    on: On = THIS_MACHINE,
) -> Path:
    """Run or resume a study in the folder `out`; runs that are done are skipped. Returns the
    folder.

    A study that adds to the one in the folder, such as more seeds, rounds or trials, goes on from
    what is there. Each process computes with one torch thread, so `jobs` changes no result. A
    process that is killed loses at most `checkpoint_seconds` of the runs that it had under way, and
    they go on to the same bits.

    Args:
        study: the study.
        out: the folder, which this process holds while the study is run.
        jobs: the number of processes; None: as many as there are cores for.
        checkpoint_seconds: the time between two checkpoints of a run.
        watch: is told what runs measure while they are under way, and of each that ends; of a run
            that is gone on with, also what was measured before.
        tell: is given lines about what a user would not expect; by default they are printed on
            standard error.
        on: where runs are carried out.

    Raises:
        HeadstartError: the study's parts do not fit together; the folder is in use, of another
            study, or damaged.
    """
    out = Path(os.path.abspath(out))  # which parts of the user's own may change
    _refuse_unreadable_name(out)
    try:
        # Sums are then in the same order however many processes share the work.
        with torch_threads(1):
            notes = check(study, lambda run: Folder(out).is_done(run.key))
            known = read_record(out)
            with (
                opened(on, study, jobs, tell) as place,
                Folder(out).claimed(study.resolved(), lambda: refusal(study, out, known, tell)),
            ):
                keep_notes(notes, out)
                record = record_for(study.plan, known)
                _Course(study, out, place, checkpoint_seconds, watch, record).carry_on(tell)
    except OSError as error:
        raise HeadstartError(f"cannot go on in {out}: {error}") from error
    return out


def _refuse_unreadable_name(out: Path) -> None:
    """Refuse a folder that safetensors could not open, although the system can.

    Raises:
        HeadstartError: its whole path is not UTF-8.
    """
    try:
        str(out).encode()
    except UnicodeEncodeError as error:
        raise HeadstartError(
            f"{out}: expected a folder whose path is UTF-8, which weights are read by; choose "
            "another name"
        ) from error


class _Course:
    """The course of one study in its folder: its searches, then its runs, with the values that
    these found.
    """

    def __init__(
        self,
        study: Study,
        out: Path,
        place: Place,
        checkpoint_seconds: float,
        watch: Watch,
        record: Record,
    ) -> None:
        self._study, self._out, self._place = study, out, place
        self._checkpoint_seconds, self._watch = checkpoint_seconds, watch
        self._folder, self._writer = Folder(out), Writer(out)
        self._searches = searches(study)
        self._runs, self._record = self._planned(), record
        self._tally = Tally(place.jobs)

    def carry_on(self, tell: Callable[[str], None]) -> None:
        """Do what is not done yet, and gather the tables."""
        # reads all that is there, so that a damaged file is found before any training
        self._gather()
        refuse_changed_files(self._runs, self._out)
        keep_modules(self._runs, self._out)
        unsearched = list(filter(self._is_open, self._searches))
        pending = self._due if self._searches else self._pending()
        try:
            self._begin([*(search.base for search in self._searches), *self._due], pending)
            self._search(unsearched, sum(map(_work, pending)))
            if unsearched:
                self._runs = self._planned()
                self._gather()
            self._run_to_looks(tell)
        except BaseException:
            # what went wrong first is what the user must read
            with suppress(HeadstartError, OSError):
                self._gather()
            raise
        if failing := self._failures():
            tell(failed.line(failing, len(self._due)))

    def _begin(self, runs: Sequence[RunSpec], pending: Sequence[RunSpec]) -> None:
        """Make what runs begin from, and choose their executors, if any are to be carried out."""
        for run in {(run.start, run.model, run.task): run for run in pending}.values():
            self._make_start(run)
        choose_executors(list(runs) if pending else [], self._out)

    def _run_to_looks(self, tell: Callable[[str], None]) -> None:
        """Carry out what is due, and look; until nothing is due but runs that have failed."""
        tried: set[str] = set()
        while pending := [run for run in self._pending() if run.key not in tried]:
            taken = len(self._decided.decisions)
            self._begin(self._due, pending)
            self._run(pending, tell)
            tried |= {run.key for run in pending}
            self._gather()
            self._tell_of_looks(taken)

    def _tell_of_looks(self, before: int) -> None:
        found = self._decided
        if self._study.until is not None:
            for look, decision in enumerate(found.decisions[before:], start=before + 1):
                is_last = found.is_over and look == len(found.decisions)
                spared = found.spared if is_last else 0
                told = Looked(look, decision.seeds, decision.where, decision.which, is_last, spared)
                self._watch(told)

    def _search(self, unsearched: Sequence[Search], work_of_runs: float) -> None:
        by_key: dict[str, Search] = {}
        work: dict[Search, float] = {}
        for search in unsearched:
            by_key[search.key] = search
            work[search] = search.trials * _work(search.base)
        done = len(self._searches) - len(unsearched)
        self._tally.begin(work, done, len(self._searches) + len(self._due), work_of_runs)
        with closing(self._events(unsearched, carry_out_search, self._study.runs[:1])) as events:
            for event in events:
                if isinstance(event, Tried) and event.number == by_key[event.search].trials - 1:
                    search = by_key[event.search]
                    self._watch(self._tally.ended(search, search, "finished"))

    def _run(self, pending: Sequence[RunSpec], tell: Callable[[str], None]) -> None:
        take_up({run.key for run in self._runs}, pending, self._out, tell)
        keys = {run.key for run in pending}
        groups = self._groups(keys)
        work: dict[Group, float] = {}
        left: dict[Group, int] = {}
        group_of: dict[str, Group] = {}
        for group in groups:
            work[group], left[group] = 0.0, 0
            for run in group:
                if run.key in keys:
                    work[group] += _work(run)
                    left[group] += 1
                    group_of[run.key] = group
        total = len(self._searches) + len(self._due)
        self._tally.begin(work, total - len(pending), total, 0.0)
        stream_in = partial(carry_out, checkpoint_seconds=self._checkpoint_seconds)
        with closing(self._events(groups, stream_in, [group[0] for group in groups])) as events:
            for event in events:
                if isinstance(event, Measured):
                    self._watch(event)
                elif isinstance(event, Ended | Failed):
                    group = group_of[event.run.key]
                    left[group] -= 1
                    record = event.record if isinstance(event, Ended) else None
                    self._watch(
                        self._tally.ended(group, event.run, event.status, left[group], record)
                    )

    def _events(
        self, items: Sequence[Any], stream_in: StreamIn[Any], runs: Sequence[RunSpec]
    ) -> Generator[Event, None, None]:
        return self._place.events(items, stream_in, self._out, self._writer.write, runs)

    def _planned(self) -> list[RunSpec]:
        """The runs of the study, with the values that its searches found once all of them have
        ended, and behind them those that they are held against.
        """
        if not self._searches or any(map(self._is_open, self._searches)):
            return self._with_baselines(self._study.runs)
        found = self._trials()
        refuse_unequal_budgets(found)
        best: dict[Search, Values | None] = {}
        for search, trials in found.items():
            trial = best_of(trials)
            best[search] = None if trial is None else trial.values
        return self._with_baselines(tuned_runs(self._study, best))

    def _with_baselines(self, runs: Sequence[RunSpec]) -> list[RunSpec]:
        """The runs, and behind them those that they are held against."""
        self._held_against = baseline_runs(runs, self._study.file)
        return [*runs, *self._held_against]

    def _pending(self) -> list[RunSpec]:
        return [run for run in self._due if not self._folder.is_done(run.key)]

    def _is_open(self, search: Search) -> bool:
        """Whether a search has trials to do."""
        return len(stored(self._out, search)) < search.trials

    def _trials(self) -> dict[Search, list[Trial]]:
        return {search: stored(self._out, search) for search in self._searches}

    def _groups(self, keys: set[str]) -> list[Group]:
        """The groups that have runs to do; with several processes the longest first, so that none
        is the last.
        """

        def most(run: RunSpec) -> int:
            return at_once(with_executor(run, chosen_executor(run, self._out)).executor)

        groups = []
        if self._study.until is None:
            in_groups = groups_of(self._due, most)
        else:
            in_groups = groups_by_look(self._due, self._record.followed, most)
        for group in in_groups:
            if any(run.key in keys for run in group):
                groups.append(group)
        if self._place.jobs > 1:
            groups.sort(key=lambda group: -len(group) * group[0].local_epochs)
        return groups

    def _make_start(self, run: RunSpec) -> None:
        """Once, before processes would make it several times; where it fails, the runs that begin
        from it fail.
        """
        try:
            self._writer.write_all(start_weights(run, self._out))
        except Exception as error:  # whatever somebody's own start may raise
            if not failed.of_run(error, run):
                raise

    def _failures(self) -> dict[str, str]:
        return failed.among(self._folder.run(run.key) for run in self._due)

    def _gather(self) -> None:
        """Write the tables of what is done, look at it, and see what is due then."""
        runs = [run for run in self._runs if run.baseline == "none"]
        held_against = {run.key: of.key for run, of in self._held_against.items()}
        target, text = self._study.file.target_accuracy, self._study.resolved()
        keys = [run.key for run in runs]
        found = self._folder.gather(keys, target, text, held_against)
        self._decided = decided_so_far(runs, found.runs, self._record.followed)
        self._record = self._record.with_looks(len(self._decided.decisions))
        self._due = self._runs
        if self._study.until:
            self._due = due(runs, self._held_against, self._decided)
        undone = [run for run in self._pending() if run.baseline == "none"]
        results = replace(
            found,
            trials=table_of(self._trials()) if self._searches else None,
            baselines=baseline_table(self._study.task, self._study.file.evaluate_on),
            looks=looks_table(self._record, self._decided),
            about={**found.about, LOOKED: looks_taken(self._record)},
            planned=len(found.runs) + len(undone),
            failed=self._failures(),
        )
        tables.write_results(self._out, results)
        rows = [] if self._searches else best_rates(found.runs)
        if any(row["trials"] > 1 for row in rows):
            chosen = as_rates(rows, self._study.file.evaluate_on)
            files.write(self._out / RESULTS / "rates.yaml", chosen)


def _work(run: RunSpec) -> float:
    clients = run.cohort if run.baseline == "none" else 1
    return run.rounds * clients / run.cohort * (1 + run.local_epochs)
