"""Tuning one start with one pair: trials that Optuna proposes, each stored, and the best of them.

The tree-structured Parzen estimator (Bergstra et al., NIPS 2011) proposes; a trial whose accuracy lies below the median
of the earlier ones at the same round is stopped (the median rule of Golovin et al., KDD 2017). Nothing is kept in
memory between trials: the k-th proposal is a function of k and of the records of the earlier trials, which are replayed
into a new Optuna study, so that a search that was interrupted and one that was not propose the same.
The validation part is all that a search measures on.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart import files, rng
from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.parts.registry import Component, Registry, Tunable
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.study.choice import chosen_executor, with_executor
from headstart.study.groups import groups_of
from headstart.study.run import Progress, carry_out_together
from headstart.study.spec import SCHEMA, RunSpec, Study
from headstart.study.stream import begun

DIRECTORY = "tuning"
EDGE = 0.05
"""Of a range's width, on its own scale: a best value so near to an end may lie beyond it. Ours."""

RANDOM_TRIALS = 5
"""Trials before the estimator begins and before any is pruned: the file's own values, then random ones. Ours."""

Values = dict[str, float]
"""By name: client_rate, server_rate, and `client.mu` for the parameter mu of the client."""


@dataclass(frozen=True)
class Search:
    """The trials of one start and pair. `base` is a run on the validation part; its seed is one of `seeds`."""

    base: RunSpec
    seeds: tuple[int, ...]
    trials: int
    prune: bool
    ranges: tuple[tuple[str, Tunable], ...]

    @property
    def key(self) -> str:
        """The name of the search's folder: 16 hex digits of the sha256 of all that its trials depend on.

        How many there are to be is not among that: a longer search begins with the trials of a shorter one.
        """
        fields = {**asdict(self), "base": self.base.identity()}
        del fields["trials"]
        canonical = json.dumps({"schema": SCHEMA, **fields}, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        base = self.base
        return f"tuning of {base.start}, {base.client}, {base.server}"


@dataclass(frozen=True)
class Trial:
    """What was tried and measured. `curve`: (round, mean accuracy over the seeds); `loss` at its last round."""

    status: str
    values: Values
    curve: tuple[tuple[int, float], ...]
    loss: float | None
    seeds: tuple[int, ...]
    seconds: float

    @property
    def accuracy(self) -> float:
        """At the last measured round; 0, the worst there is, where a seed diverged."""
        return self.curve[-1][1] if self.curve and self.status != "diverged" else 0.0


def searches(study: Study) -> list[Search]:
    """A search for every start, trained part, client and server of the study, in the setting in which they come first.

    `each` of the file names parts of the setting for which they are tuned anew. A parameter that the file or
    a preset sets is left alone.
    """
    tuning = study.file.tuning
    if tuning is None:
        return []
    found: dict[tuple[Any, ...], Search] = {}
    for run in study.runs:
        cell = _cell(run, study)
        if cell in found:
            continue
        rates = {"client_rate": tuning.client_rate, "server_rate": tuning.server_rate}
        ranges = [(name, Tunable(low, high)) for name, (low, high) in rates.items()]
        if tuning.parameters:
            ranges += [*_parameters("client", CLIENTS, run.client), *_parameters("server", SERVERS, run.server)]
        base = replace(
            run,
            seed=tuning.seeds[0],
            rounds=tuning.rounds or run.rounds,
            evaluate_on="validation",
            probes=(PROBES.component({"evaluation": {"train_rows": 1}}),),
        )
        found[cell] = Search(base, tuple(tuning.seeds), tuning.trials, tuning.prune, tuple(ranges))
    return list(found.values())


def tuned_runs(study: Study, best: dict[Search, Trial | None]) -> list[RunSpec]:
    """The study's runs with the best values of their cell; where every trial diverged, as the file has them."""
    by_cell = {_cell(search.base, study): trial for search, trial in best.items()}
    runs = [(run, by_cell[_cell(run, study)]) for run in study.runs]
    tuned = [applied(run, trial.values) if trial else run for run, trial in runs]
    return list({run.key: run for run in tuned}.values())


def applied(run: RunSpec, values: Values) -> RunSpec:
    """The run with these rates and parameters."""
    registries: dict[str, Registry[Any]] = {"client": CLIENTS, "server": SERVERS}
    changed: dict[str, Any] = {}
    for name, value in values.items():
        part, _, parameter = name.partition(".")
        changed[part] = (
            value
            if not parameter
            else registries[part].varied(changed.get(part, getattr(run, part)), {parameter: value})
        )
    return replace(run, **changed)


def carry_out_search(out: Path, search: Search, is_stopping: Callable[[], bool] = lambda: False) -> str:
    """Do the trials that are not there yet, each stored as it ends. A trial that is interrupted begins anew."""
    done = stored(out, search)
    while len(done) < search.trials:
        trial = _carry_out_trial(out, search, done, is_stopping)
        record = {"search": search.key, "trial": len(done), **asdict(trial)}
        files.write_record(_file(out, search, len(done)), record)
        done.append(trial)
    return "finished"


def stored(out: Path, search: Search) -> list[Trial]:
    """The trials that are done, in their order.

    Raises:
        HeadstartError: a record is damaged.
    """
    trials: list[Trial] = []
    while len(trials) < search.trials and (path := _file(out, search, len(trials))).exists():
        remedy = f"delete {path.parent} and run again"
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


def edges(search: Search, values: Values) -> list[str]:
    """The names whose value lies at an end of its range, where a wider range could do better."""
    places = {}
    for name, span in search.ranges:
        scale = np.log if span.log else np.asarray
        low, high, value = (float(scale(v)) for v in (span.low, span.high, values[name]))
        places[name] = (value - low) / (high - low)
    return [name for name, place in places.items() if min(place, 1 - place) < EDGE]


def refuse_unequal_budgets(found: dict[Search, list[Trial]]) -> None:
    """Refuse to compare what was tuned with different numbers of trials, seeds or rounds.

    Raises:
        HeadstartError: two searches differ.
    """

    def budget(search: Search, trials: list[Trial]) -> tuple[int, set[tuple[int, ...]], set[int]]:
        ended = {trial.curve[-1][0] for trial in trials if trial.status == "finished"}
        return len(trials), {trial.seeds for trial in trials}, ended | {search.base.rounds}

    budgets = {search: budget(search, trials) for search, trials in found.items()}
    first = next(iter(budgets), None)
    for search, spent in budgets.items():
        if first is not None and spent != budgets[first]:
            raise HeadstartError(
                f"expected the same budget for all that is tuned, got {spent[0]} trials for the {search} and "
                f"{budgets[first][0]} for the {first} (or other seeds or rounds); delete tuning/ and run again"
            )


def propose(search: Search, done: list[Trial]) -> tuple[Any, Values]:
    """Optuna's trial after those done, and the values it proposes, rounded to three digits."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=rng.key(0, "tuning", len(done)), n_startup_trials=RANDOM_TRIALS)
    pruner = optuna.pruners.MedianPruner(RANDOM_TRIALS, n_warmup_steps=search.base.rounds // 4)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    spans = {name: optuna.distributions.FloatDistribution(s.low, s.high, log=s.log) for name, s in search.ranges}
    for trial in done:
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.PRUNED if trial.status == "pruned" else optuna.trial.TrialState.COMPLETE,
                value=trial.accuracy,
                params=trial.values,
                distributions=spans,
                intermediate_values=dict(trial.curve),
            )
        )
    if not done:
        study.enqueue_trial(_own_values(search))
    asked = study.ask(spans)
    return asked, {name: _within(float(f"{asked.params[name]:.3g}"), span) for name, span in search.ranges}


def _carry_out_trial(out: Path, search: Search, done: list[Trial], is_stopping: Callable[[], bool]) -> Trial:
    began = time.perf_counter()
    asked, values = propose(search, done)
    tried = replace(
        applied(search.base, values), executor=with_executor(search.base, chosen_executor(search.base, out)).executor
    )
    runs = [replace(tried, seed=seed) for seed in search.seeds]
    beginnings = {run: begun(run, out) for run in runs}
    federations = {run: federation for run, (_, federation, _) in beginnings.items()}
    probes = {run: [PROBES.build(probe, federations[run]) for probe in tried.probes] for run in runs}
    progress = {run: progress for run, (*_, progress) in beginnings.items()}

    def stop_when_told() -> None:
        if is_stopping():
            raise KeyboardInterrupt

    curve: list[tuple[int, float]] = []
    loss, status = None, "finished"
    for round_ in [*range(tried.every, tried.rounds, tried.every), tried.rounds]:
        for group in groups_of(runs):
            carry_out_together(
                [federations[run] for run in group],
                [progress[run] for run in group],
                round_,
                tried.every,
                [probes[run] for run in group],
                stop_when_told,
            )
        if any(one.diverged_at is not None for one in progress.values()):
            loss, status = None, "diverged"
            break
        curve.append((round_, float(np.mean([_last(one, "test_accuracy") for one in progress.values()]))))
        loss = float(np.mean([_last(one, "test_loss") for one in progress.values()]))
        asked.report(curve[-1][1], round_)
        if search.prune and round_ < tried.rounds and asked.should_prune():
            status = "pruned"
            break
    return Trial(status, values, tuple(curve), loss, search.seeds, time.perf_counter() - began)


def _last(progress: Progress, wanted: str) -> float:
    return next(value for _, metric, value in reversed(progress.rows) if metric == wanted)


def _own_values(search: Search) -> Values:
    """What the study file itself says, moved into the ranges: the first trial of every search."""
    run, values = search.base, {}
    for name, span in search.ranges:
        part, _, parameter = name.partition(".")
        values[name] = _within(
            float(dict(getattr(run, part).parameters)[parameter] if parameter else getattr(run, name)), span
        )
    return values


def _within(value: float, span: Tunable) -> float:
    return min(max(value, span.low), span.high)


def _cell(run: RunSpec, study: Study) -> tuple[Any, ...]:
    tuning = study.file.tuning
    return (
        run.start,
        run.trainable,
        run.client,
        run.server,
        *(getattr(run, name) for name in (tuning.each if tuning else ())),
    )


def _parameters(part: str, registry: Registry[Any], component: Component) -> list[tuple[str, Tunable]]:
    entry = registry.entry_of(component)
    left_alone = {*dict(component.changed), *entry.presets.get(component.preset or "", {})}
    return [(f"{part}.{name}", span) for name, span in entry.tunable.items() if name not in left_alone]


def _file(out: Path, search: Search, number: int) -> Path:
    return out / DIRECTORY / search.key / f"{number:04d}.json"
