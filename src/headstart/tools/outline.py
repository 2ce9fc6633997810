"""What a study would do, in lines: its grid, its data, its runs, and about how long they take."""

import os
from collections.abc import Iterator, Mapping, Sequence

from headstart.study.check import seeds_tuned_on, untuned_servers
from headstart.study.data import task_of, unused_clients
from headstart.study.spec import AXES, FIELDS, Study
from headstart.study.tuning.search import searches
from headstart.tools.estimate import HOW, estimate_seconds
from headstart.tools.power import Spreads, told
from headstart.wording.phrases import duration, listed

FEW_SEEDS = 3
"""Below so many an interval, where there is one, is as wide as 13 standard errors (Student's t of
one degree).
"""


def outline(
    study: Study, of_starts: Mapping[str, Sequence[str]], spreads: Spreads
) -> Iterator[str]:
    """Yield the lines.

    study: of which `study.check` has found that it can be run; `of_starts`: what that said of each
    start; `spreads`: by how much differences are expected to vary over seeds.
    """
    yield from _grid(study)
    yield from _data(study)
    for start, notes in of_starts.items():
        yield f"{start}: {'; '.join(notes)}"
    yield from _runs(study)
    yield from told(study, spreads)
    yield from _rates(study)
    yield from _time(study)


def _grid(study: Study) -> Iterator[str]:
    for axis in (*AXES, "trainable", "local_epochs", "client_rates", "server_rates", "seeds"):
        values = dict.fromkeys(getattr(run, FIELDS[axis]) for run in study.runs)
        names = [part.label for part in values] if axis in AXES else sorted(values)
        yield f"{axis.replace('_', ' '):<13} {', '.join(map(str, names))}"


def _data(study: Study) -> Iterator[str]:
    task = task_of(study.task)
    for note in task.notes:
        yield f"data          {note}"
    partitions = dict.fromkeys(run.partition for run in study.runs)
    unused = [unused_clients(task, partition) for partition in partitions]
    if all(unused):
        yield (
            f"note: your {unused[0]} clients are not used, {study.population} made-up ones have "
            "their rows; partitions: natural"
        )


def _runs(study: Study) -> Iterator[str]:
    a_round = f"{study.cohort} of {study.population} clients a round"
    yield f"{len(study.runs)} runs of {study.file.rounds} rounds, {a_round}"
    if study.baselines:
        yield from _baselines(study)
    seeds = len({run.seed for run in study.runs})
    if seeds < FEW_SEEDS:
        many = "1 seed decides nothing" if seeds == 1 else f"{seeds} seeds decide little"
        yield f"note: {many}; run {FEW_SEEDS} or more"


def _baselines(study: Study) -> Iterator[str]:
    """Yield how many runs of other training there are, and that they are most of the work where
    they are.
    """
    alone = sum(run.baseline == "local" for run in study.baselines)
    others = len(study.baselines) - alone
    kinds = {"of one client each": alone, "of all rows in one place": others}
    told = listed(f"{n} {kind}" for kind, n in kinds.items() if n)
    yield f"runs of baselines: {told}"
    pairs = len({(run.client, run.server) for run in study.runs})
    if pairs > 1 and len(study.baselines) > len(study.runs):
        yield (
            f"note: they are {len(study.baselines) / len(study.runs):.0f} times as many as the "
            f"others, as each of {pairs} pairs has its own: decide without baselines, then add "
            "them to the study file of the choice, which the page gives"
        )


def _rates(study: Study) -> Iterator[str]:
    for server in untuned_servers(study):
        yield (
            f"note: {server} adapts, and its rate is not tuned: server_rate 1 is the length of "
            "its steps; name server_rates, or tuning: {trials: 20}"
        )
    if both := seeds_tuned_on(study):
        yield f"note: judged seeds are tuned on, too: {listed(both)}; leave tuning.seeds out"
    if tuned := searches(study):
        trials, rounds = tuned[0].trials, tuned[0].base.rounds
        yield f"tuning: {len(tuned)} searches of {trials} trials, {rounds} rounds at most each"


def _time(study: Study) -> Iterator[str]:
    cores, seconds = os.cpu_count() or 1, estimate_seconds(study)
    in_all, shared = duration(seconds), duration(seconds / cores)
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > cores:
        yield (
            f"(timed while {busy:.0f} processes share {cores} cores: alone it may take several "
            "times less)"
        )
    yield f"about {in_all} in one process, {shared} in {cores}, without pre-training"
    yield f"({HOW})"
