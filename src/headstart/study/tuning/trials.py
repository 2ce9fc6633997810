"""The trials of a search: what Optuna proposes, what is measured, and the best of them.

The tree-structured Parzen estimator (Bergstra et al., NIPS 2011) proposes; a trial whose accuracy
lies below the median of the earlier ones at the same round is stopped (the median rule of Golovin
et al., KDD 2017). A trial is worth its mean accuracy over its last measured rounds, for a single
round is noisy on uneven clients (Reddi et al., arXiv 2003.00295, Table 1, take the mean over the
last 100). The validation split is all that a search measures on.

Nothing is kept in memory between trials: the k-th proposal is a function of k and of the records of
the earlier trials, which are replayed into a new Optuna study, so that a search that was
interrupted and one that was not propose the same.
"""

import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart import files, rng
from headstart.child_processes import IsStopping
from headstart.errors import HeadstartError
from headstart.parts.parameters import Tunable
from headstart.probes.base import PROBES
from headstart.study.beginnings import begun
from headstart.study.events import Made, Tried
from headstart.study.executor_choice import chosen_executor, with_executor
from headstart.study.folder import failed
from headstart.study.folder.store import Folder
from headstart.study.groups import groups_of
from headstart.study.rounds import Progress, rounds_of
from headstart.study.stream import never
from headstart.study.tuning.search import Search, Values, applied

EDGE = 0.05
"""Of a range's width, on its own scale: a best value so near to an end may lie beyond it. Ours."""

LAST = 3
"""Measured rounds, of the second half of a trial, whose mean accuracy it is worth. Ours."""

RANDOM_TRIALS = 5
"""Trials before the estimator begins and before any is pruned: the file's own values, then random
ones. Ours.
"""


@dataclass(frozen=True)
class Trial:
    """What was tried and measured. `curve`: (round, mean accuracy over the seeds); `loss` at its
    last round; `rows`: how many it was measured on.
    """

    status: str
    values: Values
    curve: tuple[tuple[int, float], ...]
    loss: float | None
    seeds: tuple[int, ...]
    rows: int
    seconds: float

    @property
    def accuracy(self) -> float:
        """The mean of the last `LAST` measured rounds of its second half; 0, the worst there is,
        where a seed diverged.
        """
        if not self.curve or self.status == "diverged":
            return 0.0
        half = self.curve[-1][0] / 2
        late = [accuracy for round_, accuracy in self.curve if round_ > half]
        return float(np.mean(late[-LAST:]))


def carry_out_search(
    out: Path, search: Search, is_stopping: IsStopping = never
) -> Generator[Made | Tried, None, None]:
    """Yield the trials that are not there yet, each as it ends. A trial that is interrupted begins
    anew.

    Raises:
        HeadstartError: a trial failed, or a record is damaged.
    """
    done = stored(out, search)
    try:
        while len(done) < search.trials:
            trial = yield from _carry_out_trial(out, search, done, is_stopping)
            record = {"search": search.key, "trial": len(done), **asdict(trial)}
            yield Tried(search.key, len(done), record)
            done.append(trial)
    except Exception as error:  # whatever somebody's own part may raise
        if why := failed.of_run(error, search.base):
            raise HeadstartError(f"tuning: a trial of {search.base} failed: {why}") from error
        raise


def stored(out: Path, search: Search) -> list[Trial]:
    """The trials that are done, in their order.

    Raises:
        HeadstartError: a record is damaged.
    """
    trials: list[Trial] = []
    folder = Folder(out)
    while len(trials) < search.trials:
        path = folder.trial(search.key, len(trials))
        if not path.exists():
            break
        remedy = files.delete_folder_of(path)
        record = files.read_record(path, remedy)
        with files.damage_explained(path, remedy):
            if (record.pop("search"), record.pop("trial")) != (search.key, len(trials)):
                raise ValueError("it is of another search or trial")
            curve = tuple((int(r), float(a)) for r, a in record.pop("curve"))
            trials.append(Trial(curve=curve, seeds=tuple(record.pop("seeds")), **record))
    return trials


def best_of(trials: list[Trial]) -> Trial | None:
    """The finished trial with the highest accuracy, of equal ones that with the lowest loss."""
    finished = [trial for trial in trials if trial.status == "finished"]
    return max(finished, key=lambda trial: (trial.accuracy, -(trial.loss or 0.0)), default=None)


def tied_with(best: Trial, trials: list[Trial]) -> list[Trial]:
    """The other finished trials that lie at most one row of the validation split behind the best:
    between them the tuning chose nothing.
    """
    tied = []
    for trial in trials:
        rows_behind = (best.accuracy - trial.accuracy) * best.rows
        if trial is not best and trial.status == "finished" and rows_behind <= 1 + 1e-9:
            tied.append(trial)
    return tied


def edges(search: Search, values: Values) -> list[str]:
    """The names whose value lies at an end of its range, where a wider range could do better."""
    at_an_end = []
    for name, span in search.ranges:
        scale = np.log if span.log else np.asarray
        low, high, value = map(float, scale([span.low, span.high, values[name]]))
        place = (value - low) / (high - low)
        if min(place, 1 - place) < EDGE:
            at_an_end.append(name)
    return at_an_end


def refuse_unequal_budgets(found: dict[Search, list[Trial]]) -> None:
    """Refuse to compare what was tuned with different numbers of trials, seeds or rounds.

    Raises:
        HeadstartError: two searches differ.
    """
    first: Search | None = None
    for search, trials in found.items():
        first = first or search
        spent, expected = _budget(search, trials), _budget(first, found[first])
        if spent != expected:
            raise HeadstartError(
                f"expected the same budget for all that is tuned, got {spent[0]} trials for the "
                f"{search} and {expected[0]} for the {first} (or other seeds or rounds); delete "
                "tuning/ and run again"
            )


def _budget(search: Search, trials: list[Trial]) -> tuple[int, set[int], set[int]]:
    """The number of trials, of their seeds, and the rounds after which they ended or would have."""
    seeds, rounds = {len(trial.seeds) for trial in trials}, {search.base.rounds}
    for trial in trials:
        if trial.status == "finished":
            rounds.add(trial.curve[-1][0])
    return len(trials), seeds, rounds


def propose(search: Search, done: list[Trial]) -> tuple[Any, Values]:
    """Optuna's trial after those done, and the values it proposes, rounded to three digits."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(
        seed=rng.key(search.repeat, "tuning", len(done)), n_startup_trials=RANDOM_TRIALS
    )
    pruner = optuna.pruners.MedianPruner(RANDOM_TRIALS, n_warmup_steps=search.base.rounds // 4)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    spans = {}
    for name, span in search.ranges:
        spans[name] = optuna.distributions.FloatDistribution(span.low, span.high, log=span.log)
    states = optuna.trial.TrialState
    for trial in done:
        known = optuna.trial.create_trial(
            state=states.PRUNED if trial.status == "pruned" else states.COMPLETE,
            value=trial.accuracy,
            params=trial.values,
            distributions=spans,
            intermediate_values=dict(trial.curve),
        )
        study.add_trial(known)
    if not done:
        study.enqueue_trial(_own_values(search))
    asked = study.ask(spans)
    values = {}
    for name, span in search.ranges:
        values[name] = _within(float(f"{asked.params[name]:.3g}"), span)
    return asked, values


def _carry_out_trial(
    out: Path, search: Search, done: list[Trial], is_stopping: IsStopping
) -> Generator[Made, None, Trial]:
    began = time.perf_counter()
    asked, values = propose(search, done)
    executor = with_executor(search.base, chosen_executor(search.base, out)).executor
    tried = replace(applied(search.base, values), executor=executor)
    runs = [replace(tried, seed=seed) for seed in search.seeds]
    progress, federations, probes = {}, {}, {}
    for run in runs:
        _, federations[run], progress[run] = yield from begun(run, out)
        probes[run] = [PROBES.build(probe, federations[run]) for probe in tried.probes]
    curve: list[tuple[int, float]] = []
    loss, status = None, "finished"
    for round_ in [*range(tried.every, tried.rounds, tried.every), tried.rounds]:
        for group in groups_of(runs):
            together = rounds_of(
                [federations[run] for run in group],
                {i: progress[run] for i, run in enumerate(group)},
                round_,
                tried.every,
                [probes[run] for run in group],
            )
            for _ in together:
                if is_stopping():
                    raise KeyboardInterrupt
        if any(one.diverged_at is not None for one in progress.values()):
            loss, status = None, "diverged"
            break
        curve.append((round_, _mean_of_last("test_accuracy", progress)))
        loss = _mean_of_last("test_loss", progress)
        asked.report(curve[-1][1], round_)
        if search.prune and round_ < tried.rounds and asked.should_prune():
            status = "pruned"
            break
    rows, seconds = len(federations[runs[0]].task.test), time.perf_counter() - began
    return Trial(status, values, tuple(curve), loss, search.seeds, rows, seconds)


def _mean_of_last(metric: str, progress: Mapping[Any, Progress]) -> float:
    return float(np.mean([_last(one, metric) for one in progress.values()]))


def _last(progress: Progress, wanted: str) -> float:
    return next(value for _, metric, value in reversed(progress.rows) if metric == wanted)


def _own_values(search: Search) -> Values:
    """What the study file itself says, moved into the ranges: the first trial of every search."""
    run, values = search.base, {}
    for name, span in search.ranges:
        part, _, parameter = name.partition(".")
        values[name] = _within(
            float(
                dict(getattr(run, part).parameters)[parameter] if parameter else getattr(run, name)
            ),
            span,
        )
    return values


def _within(value: float, span: Tunable) -> float:
    return min(max(value, span.low), span.high)
