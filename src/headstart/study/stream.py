"""Runs as streams of events: from their starts or their checkpoints to their records."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.child_processes import IsStopping
from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Probe
from headstart.starts import weights
from headstart.starts.weights import Weights
from headstart.study.beginnings import begun, known_of_start
from headstart.study.data import task_of
from headstart.study.events import Ended, Event, Failed, Made, Measured, Saved
from headstart.study.executor_choice import Choice, chosen_executor, with_executor
from headstart.study.federations import clients_of_run, federation_of, holds
from headstart.study.file.run_spec import RunSpec
from headstart.study.folder import added_probes, failed
from headstart.study.folder.best import BestSoFar
from headstart.study.folder.record import record_of
from headstart.study.folder.saved import Saving
from headstart.study.folder.store import CHECKPOINT, Folder
from headstart.study.groups import Group
from headstart.study.rounds import Progress, rounds_of
from headstart.trees import Tree

ROWS_AT_ONCE = 4096
"""The most that one event tells: a look back at a long run measures some of every round."""


def never() -> bool:
    """Say that nobody wants a run to stop."""
    return False


def carry_out(
    out: Path,
    group: Group,
    is_stopping: IsStopping = never,
    checkpoint_seconds: float = 10.0,
    places: Sequence[int] | None = None,
) -> Iterator[Event]:
    """Yield what the runs of a group have to say, from their checkpoints if they have some, until
    they end.

    Nothing is written into the folder: each event must have been, before the next one is asked for.
    Where a run fails, the others go on, each by itself, to the bits that they would have had
    together.

    Args:
        out: the study's folder, which is read.
        group: runs that are computed together; those that are done keep their places.
        is_stopping: is asked after every round; once it says so, the runs are saved and
            `KeyboardInterrupt` is raised.
        checkpoint_seconds: the time between two checkpoints.
        places: the places in the group of the runs that are wanted; by default all.
    """
    folder = Folder(out)
    wanted = [i for i in places or range(len(group)) if not folder.is_done(group[i].key)]
    if not wanted:
        return
    first = group[wanted[0]]
    try:
        yield from _together(out, group, wanted, is_stopping, checkpoint_seconds)
    except (KeyboardInterrupt, GeneratorExit, SystemExit):
        raise
    except BaseException as error:  # whatever somebody's own part may raise
        why = failed.of_run(error, first)
        if not why:
            raise
    else:
        return
    if len(wanted) == 1:
        yield Failed(first, why)
        return
    for i in wanted:
        yield from carry_out(out, group, is_stopping, checkpoint_seconds, [i])


@dataclass
class _UnderWay:
    """A run that is not done. `start_weights`: those of its start, as far as they are needed;
    `seconds_before`: what it took so far.
    """

    run: RunSpec
    federation: Federation
    probes: list[Probe]
    progress: Progress
    start_weights: Tree
    saving: Saving
    seconds_before: float
    best: BestSoFar | None = None
    told: int = 0

    def __post_init__(self) -> None:
        if self.run.keep_weights == "both":
            self.best = BestSoFar(self.progress)

    def news(self) -> Iterator[Measured]:
        """Yield what was measured since the last time."""
        while rows := tuple(self.progress.rows[self.told : self.told + ROWS_AT_ONCE]):
            self.told += len(rows)
            yield Measured(self.run, rows)

    def after_round(self, seconds: float, due: bool) -> Iterator[Saved]:
        """Yield what is to be saved after a round: all of it if that is due, and before the last
        round.
        """
        if self.best is not None:
            self.best.look(self.progress)
        if self.progress.diverged_at is None and (due or self._is_before_its_last_round()):
            yield self.saving.save(
                self.run, self.progress, self.seconds_before + seconds, self._best(), lasting=due
            )
        elif self.saving.is_full(self.progress):
            yield self.saving.note(self.run, self.progress)

    def end(self, choice: Choice, note: str | None, seconds: float) -> Ended:
        """Return its end."""
        if self.best is not None:
            self.best.look(self.progress)
        final = self._weights_of(self.progress.state.x)
        params = self.federation.network.parameters_of(final.state)
        parameters = sum(leaf.numel() for leaf in params.values())
        return Ended(
            self.run,
            record=record_of(
                self.run, choice, self.progress, parameters, self.seconds_before + seconds, note
            ),
            rows=self.progress.rows,
            weights=weights.content(final, {"run": str(self.run)}),
            best=self._best(),
            best_round=None if self.best is None else self.best.round,
            state_stays=self.saving.has_state_before(self.run.rounds),
        )

    def _weights_of(self, trained: Tree) -> Weights:
        """The whole model around what is trained."""
        network = self.federation.network
        return Weights.of({**self.start_weights, **trained}, network, task_of(self.run.task))

    def _best(self) -> bytes:
        return b"" if self.best is None else self.best.content(self._weights_of, str(self.run))

    def _is_before_its_last_round(self) -> bool:
        """Whether its state should be kept, so that a run of more rounds can go on from it."""
        here = self.progress.state.round
        if here != self.run.rounds - 1 or here == self.saving.round:
            return False
        return self.saving.is_small(self.progress)


def _together(
    out: Path,
    group: Group,
    places: Sequence[int],
    is_stopping: IsStopping,
    checkpoint_seconds: float,
) -> Iterator[Event]:
    began = last_saved = time.perf_counter()
    folder, choice = Folder(out), chosen_executor(group[0], out)
    for i in places:
        if added_probes.is_handed_over(folder, group[i]):
            yield from _measured_ends(group[i], out, choice)
    wanted: dict[int, _UnderWay] = {}
    for i in places:
        if not folder.is_done(group[i].key):
            wanted[i] = yield from _begin(group[i], out, choice)
    if not wanted:
        return
    some = next(iter(wanted.values()))
    # `wanted` and `under_way` know the runs by their places; these have every place of the group.
    federations: list[Federation] = []
    probes: list[list[Probe]] = []
    for i, run in enumerate(group):
        one = wanted.get(i)
        federation = _placeholder(run, some) if one is None else one.federation
        federations.append(federation)
        probes.append(_probes(run, federation) if one is None else one.probes)
    under_way = {i: one.progress for i, one in wanted.items()}

    def seconds() -> float:
        """Of the runs' own, which share the time."""
        return (time.perf_counter() - began) / len(wanted)

    for _ in rounds_of(federations, under_way, some.run.rounds, some.run.every, probes):
        for one in wanted.values():
            yield from one.news()
        stopping = is_stopping()
        due = stopping or time.perf_counter() - last_saved >= checkpoint_seconds
        for one in wanted.values():
            yield from one.after_round(seconds(), due)
        if due:
            last_saved = time.perf_counter()
        if stopping:
            raise KeyboardInterrupt
    for one in wanted.values():
        yield from one.news()
    for one in wanted.values():
        yield one.end(choice, known_of_start(one.run, out), seconds())


def _placeholder(run: RunSpec, other: _UnderWay) -> Federation:
    """The federation of a run that is not wanted, as far as those beside it see it."""
    return replace(other.federation, clients=clients_of_run(run), seed=run.seed)


def _measured_ends(run: RunSpec, out: Path, choice: Choice) -> Iterator[Event]:
    """The end of a run that another one has but for probes."""
    _, federation, progress = yield from begun(with_executor(run, choice), out)
    yield added_probes.ended(run, federation, progress.state, Folder(out))


def _begin(run: RunSpec, out: Path, choice: Choice) -> Generator[Made, None, _UnderWay]:
    """A run from its checkpoint, or from its start."""
    folder, made = Folder(out).run(run.key), with_executor(run, choice)
    if not (folder / CHECKPOINT).exists():
        whole, federation, progress = yield from begun(made, out)
        saving = Saving(folder, choice["executor"])
        return _UnderWay(run, federation, _probes(run, federation), progress, whole, saving, 0.0)
    if holds(made):
        whole, federation, _ = yield from begun(made, out)
    else:
        whole, federation = {}, federation_of(made)
    saving, progress, seconds = Saving.load(folder, federation.network.device, choice["executor"])
    return _UnderWay(run, federation, _probes(run, federation), progress, whole, saving, seconds)


def _probes(run: RunSpec, federation: Federation) -> list[Probe]:
    return [PROBES.build(probe, federation) for probe in run.probes]
