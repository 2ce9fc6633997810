"""The searches of a study: what is tuned for each start and pair, and the runs with the best."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from headstart.clients.base import CLIENTS
from headstart.parts.parameters import Tunable
from headstart.parts.registry import Component, Registry
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.study.file.run_spec import SCHEMA, RunSpec
from headstart.study.spec import Study

Values = dict[str, float]
"""By name: client_rate, server_rate, and `client.mu` for the parameter mu of the client."""


@dataclass(frozen=True)
class Search:
    """The trials of one start and pair. `base` is a run on the validation split; its seed is one of
    `seeds`. `repeat`: which of the study's independent tunings it is part of.
    """

    base: RunSpec
    repeat: int
    seeds: tuple[int, ...]
    trials: int
    prune: bool
    ranges: tuple[tuple[str, Tunable], ...]

    @property
    def key(self) -> str:
        """The name of the search's folder: 16 hex digits of the sha256 of all that its trials
        depend on.

        How many there are to be is not among that: a longer search begins with the trials of a
        shorter one.
        """
        fields = {**asdict(self), "base": self.base.identity()}
        del fields["trials"]
        canonical = json.dumps({"schema": SCHEMA, **fields}, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        base = self.base
        again = f", repeat {self.repeat}" if self.repeat else ""
        return f"tuning of {base.start}, {base.client}, {base.server}{again}"


def searches(study: Study) -> list[Search]:
    """A search for every start, trained part, client and server of the study, in the setting in
    which they come first; as many as the tuning has repeats.

    `each` of the file names parts of the setting for which they are tuned anew. A parameter that
    the file or a preset sets is left alone.
    """
    tuning = study.file.tuning
    if tuning is None:
        return []
    found: dict[tuple[Any, ...], Search] = {}
    for run in study.runs:
        cell, repeat = _cell(run, study), tuning.repeat_of(run.seed)
        if (cell, repeat) in found:
            continue
        ranges = [
            ("client_rate", Tunable(*tuning.client_rate.span(run.client_rate))),
            ("server_rate", Tunable(*tuning.server_rate.span(run.server_rate))),
        ]
        if tuning.parameters:
            ranges += [
                *_parameters("client", CLIENTS, run.client),
                *_parameters("server", SERVERS, run.server),
            ]
        seeds = tuple(tuning.seeds_of(repeat))
        base = replace(
            run,
            seed=seeds[0],
            rounds=tuning.rounds or run.rounds,
            evaluate_on="validation",
            probes=(PROBES.component({"evaluation": {"train_rows": 1}}),),
        )
        found[cell, repeat] = Search(
            base, repeat, seeds, tuning.trials, tuning.prune, tuple(ranges)
        )
    return list(found.values())


def tuned_runs(study: Study, best: Mapping[Search, Values | None]) -> list[RunSpec]:
    """The study's runs with the best values of their cell; where every trial diverged, as the file
    has them.

    With several repeats the seeds are dealt over them in turn, so that the mean over a repeat's
    seeds is an independent result of tuning and training, both done again.
    """
    tuning = study.file.tuning
    if tuning is None:
        return study.runs
    by_cell = {(_cell(s.base, study), s.repeat): values for s, values in best.items()}
    tuned: dict[str, RunSpec] = {}
    for run in study.runs:
        values = by_cell[_cell(run, study), tuning.repeat_of(run.seed)]
        made = applied(run, values) if values else run
        tuned[made.key] = made
    return list(tuned.values())


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


def _cell(run: RunSpec, study: Study) -> tuple[Any, ...]:
    tuning = study.file.tuning
    return (
        run.start,
        run.trainable,
        run.client,
        run.server,
        *(getattr(run, name) for name in (tuning.each if tuning else ())),
    )


def _parameters(
    part: str, registry: Registry[Any], component: Component
) -> list[tuple[str, Tunable]]:
    entry = registry.entry_of(component)
    left_alone = {*dict(component.changed), *entry.presets.get(component.preset or "", {})}
    return [
        (f"{part}.{name}", span) for name, span in entry.tunable.items() if name not in left_alone
    ]
